// Products of warpgroups on sm_90a (wgmma), and tiles of shared memory as they take them, for bf16 and f16.
//
// 128 threads multiply 64 rows by up to 256 columns at once, 16 values deep: the right factor lies in shared memory, the left one there or
// in registers, the sums are spread as those of `mma` are: a warp has 16 rows, eight columns after the other.
// A product is asynchronous. In this order: copies are waited for, `fence_copies`, a barrier of the block; `settle` and `fence_registers`
// for registers that others used; products; `commit_products`; `wait_for_products`, `settle`. Until then nobody touches its registers
// or overwrites its tiles.
#pragma once

#include "tensor.cuh"

typedef unsigned long long u64;

#ifdef EMULATOR
#include "../emulator/warpgroup.h"
#else
// What this thread copied into shared memory becomes visible to products, once a barrier has told the others.
DEVICE void fence_copies() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }
DEVICE void fence_registers() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
DEVICE void commit_products() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }
template <int BUT_THE_LAST>
DEVICE void wait_for_products() {
    asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(BUT_THE_LAST) : "memory");
}

// The compiler moves no use of these registers past here: it does not know that products write them later.
template <int COUNT>
DEVICE void settle(float* values) {
#pragma unroll
    for (int i = 0; i < COUNT; i++) asm volatile("" : "+f"(values[i])::"memory");
}
template <int COUNT>
DEVICE void settle(u32* words) {
#pragma unroll
    for (int i = 0; i < COUNT; i++) asm volatile("" : "+r"(words[i])::"memory");
}

template <int COLUMNS, class Kind, bool TURNED>
struct Instruction;

// Registers of sums by number, and as operands. What follows them: factors, whether sums are kept, and which way the depth goes.
#define LIST_0 "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15"
#define LIST_16 "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31"
#define LIST_32 "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47"
#define LIST_48 "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63"
#define LIST_64 "%64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79"
#define LIST_80 "%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95"
#define LIST_96 "%96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, %111"
#define LIST_112 "%112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, %125, %126, %127"
#define SUMS_4(i) "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3])
#define SUMS_8(i) SUMS_4(i), SUMS_4(i + 4)
#define SUMS_16(i) SUMS_8(i), SUMS_8(i + 8)
#define SUMS_32(i) SUMS_16(i), SUMS_16(i + 16)
#define SUMS_64(i) SUMS_32(i), SUMS_32(i + 32)

#define INSTRUCTION(columns, Kind, kind, list, p0, p1, p2, p3, p4, p5, p6)                                                                \
    template <bool TURNED>                                                                                                                \
    struct Instruction<columns, Kind, TURNED> {                                                                                           \
        DEVICE static void of_shared(float* d, u64 left, u64 right, int more) {                                                           \
            asm volatile("{.reg .pred more; setp.ne.b32 more, " p2 ", 0; "                                                                \
                         "wgmma.mma_async.sync.aligned.m64n" #columns "k16.f32." kind "." kind " {" list "}, " p0 ", " p1                 \
                         ", more, 1, 1, 0, " p3 ";}"                                                                                      \
                         : SUMS_OF_##columns : "l"(left), "l"(right), "r"(more), "n"(int(TURNED)) : "memory");                            \
        }                                                                                                                                 \
        DEVICE static void of_registers(float* d, const u32* a, u64 right, int more) {                                                    \
            asm volatile("{.reg .pred more; setp.ne.b32 more, " p5 ", 0; "                                                                \
                         "wgmma.mma_async.sync.aligned.m64n" #columns "k16.f32." kind "." kind " {" list "}, "                            \
                         "{" p0 ", " p1 ", " p2 ", " p3 "}, " p4 ", more, 1, 1, " p6 ";}"                                                 \
                         : SUMS_OF_##columns                                                                                              \
                         : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(right), "r"(more), "n"(int(TURNED)) : "memory");               \
        }                                                                                                                                 \
    };
#define BOTH(columns, ...) INSTRUCTION(columns, bf16, "bf16", __VA_ARGS__) INSTRUCTION(columns, f16, "f16", __VA_ARGS__)
#define SUMS_OF_32 SUMS_16(0)
BOTH(32, LIST_0, "%16", "%17", "%18", "%19", "%20", "%21", "%22")
#define SUMS_OF_64 SUMS_32(0)
BOTH(64, LIST_0 ", " LIST_16, "%32", "%33", "%34", "%35", "%36", "%37", "%38")
#define SUMS_OF_80 SUMS_32(0), SUMS_8(32)
BOTH(80, LIST_0 ", " LIST_16 ", " "%32, %33, %34, %35, %36, %37, %38, %39", "%40", "%41", "%42", "%43", "%44", "%45", "%46")
#define SUMS_OF_128 SUMS_64(0)
BOTH(128, LIST_0 ", " LIST_16 ", " LIST_32 ", " LIST_48, "%64", "%65", "%66", "%67", "%68", "%69", "%70")
#define SUMS_OF_256 SUMS_64(0), SUMS_64(64)
BOTH(256, LIST_0 ", " LIST_16 ", " LIST_32 ", " LIST_48 ", " LIST_64 ", " LIST_80 ", " LIST_96 ", " LIST_112,
     "%128", "%129", "%130", "%131", "%132", "%133", "%134")
#endif

// A tile of LINES rows of memory, WIDTH values each, copied in packs of 16 bytes. It stands in panels of 128 bytes a row (64 or 32 where
// the width asks for it), and within eight rows the packs change places so that a column of them lies in different banks: the
// hardware's swizzle, which exchanges bits 4 to 6 of an address with bits 7 to 9. It has to begin at a multiple of 1024 bytes, or of
// eight lines of its panels where those are narrower.
template <int LINES, int WIDTH>
struct Swizzled {
    static constexpr int ACROSS = WIDTH % 64 == 0 ? 64 : WIDTH % 32 == 0 ? 32 : 16, PACKS = ACROSS / 8;  // of a panel's row
    static constexpr int PANEL = LINES * ACROSS, SIZE = LINES * WIDTH;
    static constexpr u64 MODE = PACKS == 8 ? 1 : PACKS == 4 ? 2 : 3, EIGHT_LINES = 8 * ACROSS * 2;
    static_assert(LINES % 16 == 0 && WIDTH % 16 == 0, "a product is 16 deep");

    // Where a pack begins.
    DEVICE static int place(int line, int pack) {
        const int exchanged = pack % PACKS ^ line * PACKS / 8 % PACKS;
        return pack / PACKS * PANEL + line * ACROSS + exchanged * 8;
    }

    // Starts to copy lines that lie `step` values apart; what is not there becomes zero.
    DEVICE static void fetch(storage* to, const storage* from, size_t step, int lines, int across, int threads) {
        for (int i = threadIdx.x; i < SIZE / 8; i += threads) {
            const int line = i / (WIDTH / 8), pack = i % (WIDTH / 8);
            const bool there = line < lines && pack * 8 < across;
            copy_async(to + place(line, pack), there ? from + line * step + pack * 8 : from, there);
        }
    }

    DEVICE static u64 matrix(const storage* at, u64 leading) {
        return (shared_address(at) & 0x3ffff) >> 4 | leading >> 4 << 16 | EIGHT_LINES >> 4 << 32 | MODE << 62;
    }

    // Lines from `line` on are rows of the left factor or columns of the right one, from depth k on.
    DEVICE static u64 lines(const storage* tile, int line, int k) {
        return matrix(tile + k / ACROSS * PANEL + line * ACROSS + k % ACROSS, 16);
    }

    // Lines from `k` on are the depth.
    DEVICE static u64 turned(const storage* tile, int k) { return matrix(tile + k * ACROSS, PANEL * 2); }
};

// Shared memory from the next multiple of 1024 bytes on.
DEVICE storage* aligned(unsigned char* memory) { return (storage*)(memory + (-shared_address(memory) & 1023)); }
