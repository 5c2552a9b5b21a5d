// Tensor-core instructions of sm_75 and later.
#pragma once

// The address of shared memory that instructions take.
DEVICE u32 shared_address(const void* at) { return __cvta_generic_to_shared(at); }

#define LDMATRIX(name, kind)                                                                                            \
    DEVICE void name(u32* to, const void* row) {                                                                        \
        asm volatile("ldmatrix.sync.aligned.m8n8.x4" kind ".shared.b16 {%0, %1, %2, %3}, [%4];"                         \
                     : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3]) : "r"(shared_address(row)) : "memory");       \
    }
LDMATRIX(ldmatrix, "")
LDMATRIX(ldmatrix_transposed, ".trans")

// c (16, 8) += a (16, 8) · b (8, 8) in f16, half as deep as the instruction of sm_80: a and b are the halves of its registers.
DEVICE void mma_f16_of_8(float* c, const u32* a, const u32* b) {
    asm("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(b[0]));
}
