//! Tile registers: configured, filled, multiplied and stored, in assembly that stable Rust takes.

use std::arch::asm;
use std::arch::x86_64::*;
use std::marker::PhantomData;

use super::super::super::panels::WIDTH;
use super::super::rows::Pairing;
use super::split::Splitter;
use super::{PARTS, TILE};

/// Bytes of a tile's row.
const ROW: usize = 64;
/// Bytes of a row of sums, and of 32 outputs' pairs.
const WIDE_ROW: usize = 128;
/// Groups of four products in a step of split numbers.
pub(super) const GROUPS: usize = 6;

/// Tile registers of this thread, shaped; given back when dropped.
pub(super) struct Configured(PhantomData<*mut ()>);

/// The layout that `ldtilecfg` reads: palette 1, then bytes of a row and rows of each register.
#[repr(C, align(64))]
struct Shapes {
    palette: u8,
    start: u8,
    reserved: [u8; 14],
    row_bytes: [u16; 16],
    rows: [u8; 16],
}

impl Configured {
    pub fn new(rows: (usize, usize)) -> Self {
        let mut shapes = Shapes { palette: 1, start: 0, reserved: [0; 14], row_bytes: [0; 16], rows: [0; 16] };
        let (first, second) = (rows.0 as u8, rows.1 as u8);
        for (register, rows) in [first, first, second, second, first, second, 16, 16].into_iter().enumerate() {
            (shapes.row_bytes[register], shapes.rows[register]) = (ROW as u16, rows);
        }
        // SAFETY: this path is only taken where tiles were found and lent; the shapes are ones that every such processor has.
        unsafe { asm!("ldtilecfg [{}]", in(reg) &raw const shapes, options(nostack)) };
        Self(PhantomData)
    }
}

impl Drop for Configured {
    fn drop(&mut self) {
        // SAFETY: as where they were configured.
        unsafe { asm!("tilerelease", options(nostack, nomem)) };
    }
}

/// Where the sums of a pair of row tiles lie: (rows, 32) each.
pub(super) struct Sums([*mut f32; 2]);

macro_rules! load {
    ($register:literal, $base:literal) => {
        concat!("tileloadd tmm", $register, ", [{", $base, "} + {row}]")
    };
    ($register:literal, $base:literal, $offset:literal) => {
        concat!("tileloadd tmm", $register, ", [{", $base, "} + {row} + ", $offset, "]")
    };
}
macro_rules! products {
    () => {
        "tdpbf16ps tmm0, tmm4, tmm6\n tdpbf16ps tmm1, tmm4, tmm7\n tdpbf16ps tmm2, tmm5, tmm6\n tdpbf16ps tmm3, tmm5, tmm7"
    };
}

impl Sums {
    pub fn new(results: &mut [f32], pair: usize, pairing: Pairing) -> Self {
        let first = &mut results[pair * pairing.of_pair() * WIDTH..][..pairing.of_pair() * WIDTH];
        let (first, second) = first.split_at_mut(pairing.rows.0 * WIDTH);
        Self([first.as_mut_ptr(), second.as_mut_ptr()])
    }

    /// Takes up the sums so far, or zeros.
    ///
    /// # Safety
    /// The sums are still there; with one row in all, the second pointer is not followed beyond the results.
    pub unsafe fn begin(&self, _: &Configured, add: bool) {
        let Self([first, second]) = *self;
        // SAFETY: the caller's promise.
        unsafe {
            if add {
                asm!(load!(0, "first"), load!(1, "first", 64), load!(2, "second"), load!(3, "second", 64),
                    first = in(reg) first, second = in(reg) second, row = in(reg) WIDE_ROW, options(nostack, readonly));
            } else {
                asm!("tilezero tmm0", "tilezero tmm1", "tilezero tmm2", "tilezero tmm3", options(nostack, nomem));
            }
        }
    }

    /// # Safety
    /// As for [`Sums::begin`].
    pub unsafe fn end(&self, _: &Configured) {
        let Self([first, second]) = *self;
        // SAFETY: the caller's promise.
        unsafe {
            asm!("tilestored [{first} + {row}], tmm0", "tilestored [{first} + {row} + 64], tmm1",
                "tilestored [{second} + {row}], tmm2", "tilestored [{second} + {row} + 64], tmm3",
                first = in(reg) first, second = in(reg) second, row = in(reg) WIDE_ROW, options(nostack));
        }
    }

    /// Adds `steps` steps of split numbers: low parts first, so that the small products meet while the sums are small.
    ///
    /// # Safety
    /// `a` are pairs of row tiles (steps, 2, 3, 16, 32), `b` is a block (steps, 3, 2, 16, 32); the processor has AVX-512 and tiles.
    #[target_feature(enable = "avx512f")]
    pub unsafe fn add_split(&self, _: &Configured, steps: usize, a: *const u16, b: *const u16, splitter: &mut Splitter, share: usize) {
        let (mut a, mut b) = (a, b);
        macro_rules! group {
            ($($instruction:expr),*) => {
                // SAFETY: the caller's promise; every address lies in the step's parts.
                unsafe {
                    asm!("/* {a} {b} {row} */", $($instruction,)* products!(),
                        a = in(reg) a, b = in(reg) b, row = in(reg) ROW, options(nostack, readonly));
                    splitter.advance(share);
                }
            };
        }
        for _ in 0..steps {
            group!(load!(4, "a"), load!(5, "a", 3072), load!(6, "b", 4096), load!(7, "b", 5120)); // high · low
            group!(load!(6, "b", 2048), load!(7, "b", 3072)); // high · middle
            group!(load!(4, "a", 1024), load!(5, "a", 4096)); // middle · middle
            group!(load!(6, "b"), load!(7, "b", 1024)); // middle · high
            group!(load!(4, "a", 2048), load!(5, "a", 5120)); // low · high
            group!(load!(4, "a"), load!(5, "a", 3072)); // high · high
            (a, b) = (a.wrapping_add(PARTS * 2 * TILE), b.wrapping_add(PARTS * 2 * TILE));
        }
    }

    /// Adds `steps` steps of rounded numbers, fetching `ahead.1` cache lines a step from `ahead.0` on.
    ///
    /// # Safety
    /// `a` are pairs of row tiles (steps, 2, 16, 32), `b` is a block (steps, 16, 32, 2) of a rounded panel; the processor has tiles.
    pub unsafe fn add_rounded(&self, _: &Configured, steps: usize, a: *const u16, b: *const u16, ahead: (*const u16, usize)) {
        let (mut a, mut b, (mut line, lines)) = (a, b, ahead);
        for _ in 0..steps {
            // SAFETY: the caller's promise; a prefetch may point anywhere.
            unsafe {
                asm!(load!(4, "a"), load!(5, "a", 1024),
                    "tileloadd tmm6, [{b} + {wide}]", "tileloadd tmm7, [{b} + {wide} + 64]", products!(),
                    a = in(reg) a, b = in(reg) b, row = in(reg) ROW, wide = in(reg) WIDE_ROW,
                    options(nostack, readonly));
                for _ in 0..lines {
                    _mm_prefetch::<_MM_HINT_T1>(line.cast());
                    line = line.wrapping_add(32);
                }
            }
            (a, b) = (a.wrapping_add(2 * TILE), b.wrapping_add(2 * TILE));
        }
    }
}
