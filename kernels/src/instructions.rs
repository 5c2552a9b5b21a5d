//! Which vector instructions the dense kernels use: found at run time, so that one binary serves every processor.

use std::fmt;
use std::sync::OnceLock;

/// A set of instructions, from those that every processor has to the widest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Instructions {
    /// What the compiler makes of plain Rust.
    Portable,
    /// AVX2 with fused multiply-add.
    Avx2,
    /// AVX-512 foundation.
    Avx512,
    /// AVX-512 with dot products of bf16 pairs.
    Avx512Bf16,
    /// Intel's tile registers with bf16 products (AMX), beside AVX-512.
    Amx,
}

/// Overrides the choice, for comparisons and for tests: `portable`, `avx2`, `avx512`, `avx512bf16` or `amx`.
const VARIABLE: &str = "PELLUCID_INSTRUCTIONS";

impl Instructions {
    /// All of them, plainest first.
    pub const ALL: [Self; 5] = [Self::Portable, Self::Avx2, Self::Avx512, Self::Avx512Bf16, Self::Amx];

    /// The widest that this processor has; `PELLUCID_INSTRUCTIONS` may name a plainer one.
    pub fn best() -> Self {
        static BEST: OnceLock<Instructions> = OnceLock::new();
        *BEST.get_or_init(|| {
            let asked = std::env::var(VARIABLE).ok();
            let allowed = Self::ALL.into_iter().find(|set| asked.as_deref() == Some(set.name())).unwrap_or(Self::Amx);
            Self::available().into_iter().filter(|set| *set <= allowed).max().unwrap_or(Self::Portable)
        })
    }

    /// Those that this processor has.
    pub fn available() -> Vec<Self> {
        Self::ALL.into_iter().filter(|set| set.is_there()).collect()
    }

    /// The name that `PELLUCID_INSTRUCTIONS` and recipes use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
            Self::Avx512Bf16 => "avx512bf16",
            Self::Amx => "amx",
        }
    }

    #[cfg(target_arch = "x86_64")]
    fn is_there(self) -> bool {
        use std::is_x86_feature_detected as has;
        let avx512 = || has!("avx512f") && has!("avx512bw") && has!("avx512vl");
        match self {
            Self::Portable => true,
            Self::Avx2 => has!("avx2") && has!("fma"),
            Self::Avx512 => avx512(),
            Self::Avx512Bf16 => avx512() && has!("avx512bf16"),
            Self::Amx => avx512() && tiles::are_there(),
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn is_there(self) -> bool {
        self == Self::Portable
    }
}

impl fmt::Display for Instructions {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Tile registers: the processor must have them, and the operating system must lend them to this process.
#[cfg(target_arch = "x86_64")]
mod tiles {
    use std::arch::x86_64::{__cpuid, __cpuid_count, _xgetbv};
    use std::sync::OnceLock;

    pub(super) fn are_there() -> bool {
        static ANSWER: OnceLock<bool> = OnceLock::new();
        *ANSWER.get_or_init(|| processor_has_them() && system_saves_them() && system_lends_them())
    }

    /// CPUID leaf 7: AMX-BF16 is bit 22 of EDX, AMX-TILE bit 24.
    fn processor_has_them() -> bool {
        let (bf16, tile) = (1 << 22, 1 << 24);
        __cpuid(0).eax >= 7 && __cpuid_count(7, 0).edx & (bf16 | tile) == (bf16 | tile)
    }

    /// XCR0 bits 17 and 18: tile configuration and tile data are saved at a context switch.
    fn system_saves_them() -> bool {
        let has_xsave = __cpuid(1).ecx & (1 << 27) != 0;
        // SAFETY: OSXSAVE was just seen, so the instruction exists and may be used.
        has_xsave && (unsafe { read_xcr0() } >> 17) & 3 == 3
    }

    #[target_feature(enable = "xsave")]
    unsafe fn read_xcr0() -> u64 {
        // SAFETY: the caller has seen OSXSAVE.
        unsafe { _xgetbv(0) }
    }

    /// Linux lends tile data to a process that asks: `arch_prctl(ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA)`.
    #[cfg(target_os = "linux")]
    fn system_lends_them() -> bool {
        const ARCH_PRCTL: i64 = 158;
        const REQUEST_PERMISSION: i64 = 0x1023;
        const TILE_DATA: i64 = 18;
        let mut result = ARCH_PRCTL;
        // SAFETY: the call only changes what this process may use; it reads and writes no memory of ours.
        unsafe {
            std::arch::asm!("syscall", inout("rax") result, in("rdi") REQUEST_PERMISSION, in("rsi") TILE_DATA,
                out("rcx") _, out("r11") _, options(nostack));
        }
        result == 0
    }

    #[cfg(not(target_os = "linux"))]
    fn system_lends_them() -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_processor_runs_plain_code() {
        assert!(Instructions::available().contains(&Instructions::Portable));
        assert!(Instructions::available().contains(&Instructions::best()));
    }
}
