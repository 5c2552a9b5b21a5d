//! What this processor can do at most: loops that only multiply and add, in registers, on all cores. Prints JSON of GFLOP/s.
//!
//! `f32` and `bf16` are the best of their kinds; a share of the peak in the benchmark is a share of these.

use std::hint::black_box;
use std::sync::Barrier;
use std::time::{Duration, Instant};

/// A loop of so many rounds, and the operations of one round.
#[derive(Clone, Copy)]
struct Loop {
    name: &'static str,
    run: fn(u64),
    operations_a_round: f64,
}

const ROUNDS: u64 = 20_000;
const TRIES: usize = 5;
const TIME_OF_A_TRY: Duration = Duration::from_millis(200);

fn main() {
    let mut found: Vec<(&str, f64)> = loops().into_iter().map(|each| (each.name, peak(each))).collect();
    for kind in ["bf16", "f32"] {
        let best = found.iter().filter(|(name, _)| name.starts_with(kind)).map(|(_, rate)| *rate).fold(0.0, f64::max);
        if best > 0.0 {
            found.insert(0, (kind, best));
        }
    }
    let fields: Vec<String> = found.iter().map(|(name, rate)| format!("\"{name}\": {rate:.1}")).collect();
    println!("{{{}}}", fields.join(", "));
}

/// The best of some tries, with one thread a core.
fn peak(each: Loop) -> f64 {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    (0..TRIES).map(|_| rate(each, threads)).fold(0.0, f64::max) / 1e9
}

/// Operations a second of all threads together, each counted over its own time.
fn rate(each: Loop, threads: usize) -> f64 {
    let start = Barrier::new(threads);
    let one = || {
        start.wait();
        let (begun, mut rounds) = (Instant::now(), 0);
        while begun.elapsed() < TIME_OF_A_TRY {
            (each.run)(ROUNDS);
            rounds += ROUNDS;
        }
        rounds as f64 * each.operations_a_round / begun.elapsed().as_secs_f64()
    };
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(one)).collect();
        running.into_iter().map(|thread| thread.join().unwrap_or_default()).sum()
    })
}

fn loops() -> Vec<Loop> {
    let operations_a_round = (PLAIN.0 * PLAIN.1 * 2) as f64;
    let mut loops = vec![Loop { name: "f32 portable", run: portable, operations_a_round }];
    #[cfg(target_arch = "x86_64")]
    loops.extend(x86::loops());
    loops
}

/// Sums and lanes that fit the registers of every processor.
const PLAIN: (usize, usize) = (10, 4);

/// Plain multiplications and additions, in whatever vectors the compiler takes without being told of more.
fn portable(rounds: u64) {
    let (factor, term) = (black_box([0.999_f32; PLAIN.1]), black_box([1e-3_f32; PLAIN.1]));
    let mut sums = [[1.0_f32; PLAIN.1]; PLAIN.0];
    for _ in 0..rounds {
        sums = sums.map(|sum| std::array::from_fn(|lane| sum[lane] * factor[lane] + term[lane]));
    }
    black_box(sums);
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::asm;
    use std::arch::x86_64::*;
    use std::hint::black_box;

    use super::Loop;

    /// Sums that do not wait for each other: more than latency times units of any processor.
    const SUMS: usize = 20;
    const NARROW_SUMS: usize = 12;

    pub fn loops() -> Vec<Loop> {
        let mut loops = Vec::new();
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            // SAFETY: the processor was asked.
            loops.push(Loop { name: "f32 avx2", run: |n| unsafe { avx2(n) }, operations_a_round: (NARROW_SUMS * 8 * 2) as f64 });
        }
        if is_x86_feature_detected!("avx512f") {
            // SAFETY: the processor was asked.
            loops.push(Loop { name: "f32 avx512", run: |n| unsafe { avx512(n) }, operations_a_round: (SUMS * 16 * 2) as f64 });
        }
        if is_x86_feature_detected!("avx512bf16") {
            // SAFETY: the processor was asked.
            loops.push(Loop { name: "bf16 avx512", run: |n| unsafe { avx512_bf16(n) }, operations_a_round: (SUMS * 32 * 2) as f64 });
        }
        if amx_is_there() {
            // SAFETY: the processor was asked, and the system lends the tiles.
            loops.push(Loop { name: "bf16 amx", run: |n| unsafe { amx_bf16(n) }, operations_a_round: (4 * 16 * 16 * 32 * 2) as f64 });
        }
        loops
    }

    #[target_feature(enable = "avx2,fma")]
    fn avx2(rounds: u64) {
        let (factor, term) = (_mm256_set1_ps(black_box(0.999)), _mm256_set1_ps(black_box(1e-3)));
        let mut sums = [_mm256_set1_ps(1.0); NARROW_SUMS];
        for _ in 0..rounds {
            for sum in &mut sums {
                *sum = _mm256_fmadd_ps(*sum, factor, term);
            }
        }
        black_box(sums);
    }

    #[target_feature(enable = "avx512f")]
    fn avx512(rounds: u64) {
        let (factor, term) = (_mm512_set1_ps(black_box(0.999)), _mm512_set1_ps(black_box(1e-3)));
        let mut sums = [_mm512_set1_ps(1.0); SUMS];
        for _ in 0..rounds {
            for sum in &mut sums {
                *sum = _mm512_fmadd_ps(*sum, factor, term);
            }
        }
        black_box(sums);
    }

    #[target_feature(enable = "avx512f,avx512bf16")]
    fn avx512_bf16(rounds: u64) {
        let pairs = _mm512_cvtne2ps_pbh(_mm512_set1_ps(black_box(1e-3)), _mm512_set1_ps(black_box(1e-3)));
        let mut sums = [_mm512_set1_ps(1.0); SUMS];
        for _ in 0..rounds {
            for sum in &mut sums {
                *sum = _mm512_dpbf16_ps(*sum, pairs, pairs);
            }
        }
        black_box(sums);
    }

    /// Leaf 7 of cpuid tells the tiles, and `arch_prctl(ARCH_REQ_XCOMP_PERM, 18)` asks Linux to lend them.
    fn amx_is_there() -> bool {
        const TILES_AND_BF16: u32 = (1 << 24) | (1 << 22);
        let tells = __cpuid(0).eax >= 7 && __cpuid_count(7, 0).edx & TILES_AND_BF16 == TILES_AND_BF16;
        tells && cfg!(target_os = "linux") && {
            let (mut answer, request, tile_data): (i64, i64, i64) = (158, 0x1023, 18);
            // SAFETY: this system call takes two numbers, touches no memory of ours, and clobbers what is named.
            unsafe { asm!("syscall", inout("rax") answer, in("rdi") request, in("rsi") tile_data, out("rcx") _, out("r11") _) };
            answer == 0
        }
    }

    /// Palette 1, eight tiles of 16 rows of 64 bytes.
    #[repr(C, align(64))]
    struct TileConfig([u8; 64]);

    /// # Safety
    /// The processor has AMX-BF16, and the system has lent the tiles.
    unsafe fn amx_bf16(rounds: u64) {
        let mut config = TileConfig([0; 64]);
        config.0[0] = 1;
        (0..8).for_each(|tile| (config.0[16 + 2 * tile], config.0[48 + tile]) = (64, 16));
        // SAFETY: the configuration is 64 bytes long and lives through the block; tiles are named as clobbered.
        unsafe {
            asm!(
                "ldtilecfg [{config}]",
                "tilezero tmm0", "tilezero tmm1", "tilezero tmm2", "tilezero tmm3", "tilezero tmm4", "tilezero tmm5",
                "2:",
                "tdpbf16ps tmm0, tmm4, tmm5", "tdpbf16ps tmm1, tmm4, tmm5", "tdpbf16ps tmm2, tmm4, tmm5", "tdpbf16ps tmm3, tmm4, tmm5",
                "dec {rounds}",
                "jnz 2b",
                "tilerelease",
                config = in(reg) &config,
                rounds = inout(reg) rounds => _,
                out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _, out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
            );
        }
    }
}
