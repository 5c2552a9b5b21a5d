// Tensor-core instructions and asynchronous copies of sm_80 and later.
#pragma once

#include "turing.cuh"

#define MMA(name, shape, types)                                                                     \
    DEVICE void mma_##name(float* c, const u32* a, const u32* b) {                                                  \
        asm("mma.sync.aligned." shape ".row.col.f32." types ".f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "   \
            "{%0, %1, %2, %3};"                                                                                     \
            : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])                                                        \
            : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));                                    \
    }
MMA(bf16, "m16n8k16", "bf16.bf16")
MMA(f16, "m16n8k16", "f16.f16")
MMA(tf32, "m16n8k8", "tf32.tf32")

// An f32 number rounded to the 11 bits of tf32; what is no number stays none.
DEVICE u32 to_tf32(u32 bits) {
    u32 rounded;
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(rounded) : "f"(__uint_as_float(bits)));
    return rounded;
}

// 16 bytes into shared memory, past the registers; zeros where nothing is there.
DEVICE void copy_async(void* to, const void* from, bool there) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(to)), "l"(from), "r"(there ? 16 : 0) : "memory");
}
DEVICE void commit_copies() { asm volatile("cp.async.commit_group;" ::: "memory"); }
template <int BUT_THE_LAST>
DEVICE void wait_for_copies() {
    asm volatile("cp.async.wait_group %0;" ::"n"(BUT_THE_LAST) : "memory");
}
