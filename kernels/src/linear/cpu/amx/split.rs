//! f32 numbers split into three bf16 parts: rows at once, a block of a panel a little at a time.

use std::arch::x86_64::*;

use super::super::super::panels::{STEP, WIDTH};
use super::{PARTS, TILE};

/// What is left to split of a block: `units` of two inputs by 16 outputs.
///
/// The parts lie (steps, 3, 2, 16, 32): for each step and part two column tiles, each with 16 pairs of inputs by 16 outputs.
pub(super) struct Splitter {
    values: *const f32,
    inputs: usize,
    parts: *mut u16,
    unit: usize,
    units: usize,
}

/// Units of a step: 16 pairs of inputs by two halves of the outputs.
const OF_STEP: usize = STEP;
/// Values ahead of those being split that are fetched from memory.
const AHEAD: usize = 1024;

impl Splitter {
    /// # Safety
    /// `values` points to `min(inputs, 32·steps)` rows of 32 values that outlive the splitter, as does `parts`.
    ///
    /// # Panics
    /// Where `parts` is too short.
    pub unsafe fn new(values: *const f32, inputs: usize, steps: usize, parts: &mut [u16]) -> Self {
        assert!(parts.len() >= steps * PARTS * 2 * TILE, "parts of {steps} steps");
        Self { values, inputs, parts: parts.as_mut_ptr(), unit: 0, units: steps * OF_STEP }
    }

    /// Nothing to split.
    pub fn idle() -> Self {
        Self { values: std::ptr::null(), inputs: 0, parts: std::ptr::null_mut(), unit: 0, units: 0 }
    }

    pub fn left(&self) -> usize {
        self.units - self.unit
    }

    /// Splits at most `count` units.
    ///
    /// # Safety
    /// As for [`Splitter::new`].
    #[target_feature(enable = "avx512f")]
    #[inline]
    pub unsafe fn advance(&mut self, count: usize) {
        for _ in 0..count.min(self.left()) {
            // SAFETY: the unit is one of those promised.
            unsafe { self.split() };
            self.unit += 1;
        }
    }

    /// # Safety
    /// As for [`Splitter::new`].
    pub unsafe fn finish(&mut self) {
        // SAFETY: this file is only used where AVX-512 was found; and the caller's promise.
        unsafe { self.advance(self.left()) }
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    unsafe fn split(&self) {
        let (step, pair, half) = (self.unit / OF_STEP, self.unit / 2 % 16, self.unit % 2);
        let input = step * STEP + 2 * pair;
        let at = self.values.wrapping_add(input * WIDTH + 16 * half);
        // SAFETY: rows beyond the inputs are not read; the parts of this unit lie inside `parts`; a prefetch may point anywhere.
        unsafe {
            _mm_prefetch::<_MM_HINT_T1>(at.wrapping_add(AHEAD).cast());
            _mm_prefetch::<_MM_HINT_T1>(at.wrapping_add(AHEAD + WIDTH).cast());
            let even = if input < self.inputs { _mm512_loadu_ps(at) } else { _mm512_setzero_ps() };
            let odd = if input + 1 < self.inputs { _mm512_loadu_ps(at.add(WIDTH)) } else { _mm512_setzero_ps() };
            let to = self.parts.add((step * PARTS * 2 + half) * TILE + pair * 32);
            for (part, (even, odd)) in parts(even).into_iter().zip(parts(odd)).enumerate() {
                _mm512_storeu_si512(to.add(part * 2 * TILE).cast(), pairs(even, odd));
            }
        }
    }
}

/// The nearest bf16, the nearest one to what is left, and the rest, each in the upper half of an f32.
#[target_feature(enable = "avx512f")]
#[inline]
fn parts(values: __m512) -> [__m512; 3] {
    let high = top(values);
    let left = _mm512_sub_ps(values, high);
    let middle = top(left);
    [high, middle, _mm512_sub_ps(left, middle)]
}

#[target_feature(enable = "avx512f")]
#[inline]
fn top(values: __m512) -> __m512 {
    let rounded = _mm512_add_epi32(_mm512_castps_si512(values), _mm512_set1_epi32(0x8000));
    _mm512_castsi512_ps(_mm512_and_si512(rounded, _mm512_set1_epi32(-0x1_0000)))
}

/// The upper halves of two vectors side by side: `even` below `odd`.
#[target_feature(enable = "avx512f")]
#[inline]
fn pairs(even: __m512, odd: __m512) -> __m512i {
    const EVEN_OR_ODD_AND_MASK: i32 = 0xF8;
    let even = _mm512_srli_epi32::<16>(_mm512_castps_si512(even));
    _mm512_ternarylogic_epi32::<EVEN_OR_ODD_AND_MASK>(even, _mm512_castps_si512(odd), _mm512_set1_epi32(-0x1_0000))
}

/// Splits at most 32 values into a row of the high, the middle and the low tile, 512 values apart; what is missing is 0.
///
/// # Safety
/// The processor has AVX-512.
#[target_feature(enable = "avx512f")]
pub(in super::super) unsafe fn split_row(values: &[f32], to: &mut [u16]) {
    for (half, values) in halves(values).into_iter().enumerate() {
        for (part, values) in parts(values).into_iter().enumerate() {
            let bits = _mm512_cvtepi32_epi16(_mm512_srli_epi32::<16>(_mm512_castps_si512(values)));
            let to = &mut to[part * TILE + 16 * half..][..16];
            // SAFETY: 16 values were just seen to be there.
            unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), bits) };
        }
    }
}

/// Rounds at most 32 values to bf16, ties to even; what is missing is 0.
///
/// # Safety
/// The processor has AVX-512.
#[target_feature(enable = "avx512f")]
pub(in super::super) unsafe fn round_row(values: &[f32], to: &mut [u16]) {
    for (half, values) in halves(values).into_iter().enumerate() {
        let bits = _mm512_castps_si512(values);
        let odd = _mm512_and_si512(_mm512_srli_epi32::<16>(bits), _mm512_set1_epi32(1));
        let rounded = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7FFF)));
        // A NaN whose bits would carry over into the sign stays as it is, and quiet.
        let quiet = _mm512_or_si512(bits, _mm512_set1_epi32(0x40_0000));
        let rounded = _mm512_mask_mov_epi32(rounded, _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(values, values), quiet);
        let to = &mut to[16 * half..][..16];
        // SAFETY: 16 values were just seen to be there.
        unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), _mm512_cvtepi32_epi16(_mm512_srli_epi32::<16>(rounded))) };
    }
}

#[target_feature(enable = "avx512f")]
fn halves(values: &[f32]) -> [__m512; 2] {
    let mask = |from: usize| (1u32 << values.len().saturating_sub(from).min(16)).wrapping_sub(1) as u16;
    // SAFETY: the masks leave out what lies beyond the values.
    unsafe { [_mm512_maskz_loadu_ps(mask(0), values.as_ptr()), _mm512_maskz_loadu_ps(mask(16), values.as_ptr().wrapping_add(16))] }
}

#[cfg(test)]
mod tests {
    use super::super::super::super::panels::{from_bf16, to_bf16};
    use super::*;
    use crate::Instructions;
    use crate::check::seeded;

    #[test]
    fn three_parts_add_up_exactly_and_rounding_is_the_nearest() {
        if !Instructions::available().contains(&Instructions::Avx512) {
            return;
        }
        let values: Vec<f32> = seeded::<f32>(5, 21).into_iter().chain([0.0, -0.0, 1.0, -3.5e-12, 6.02e23, 1.0 + 1.0 / 256.0]).collect();
        let (mut split, mut rounded) = (vec![7; 3 * TILE], vec![7; 32]);
        // SAFETY: AVX-512 was found.
        unsafe {
            split_row(&values, &mut split);
            round_row(&values, &mut rounded);
        }
        for at in 0..32 {
            let value = values.get(at).copied().unwrap_or(0.0);
            let sum = from_bf16(split[2 * TILE + at]) + from_bf16(split[TILE + at]) + from_bf16(split[at]);
            assert_eq!(sum, value);
            assert_eq!(rounded[at], to_bf16(value));
        }
    }
}
