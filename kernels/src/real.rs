//! The two number types that kernels compute in.

use std::fmt::{Debug, Display};
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub};

use crate::buffer::Number;

/// `f32`, the reference precision on every device, or `f64`, the yardstick of tests.
pub trait Real:
    Number
    + Copy
    + Debug
    + Display
    + Default
    + PartialOrd
    + Send
    + Sync
    + Sum
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + MulAssign
    + 'static
{
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// Rounds from `f64`.
    fn from_f64(value: f64) -> Self;
    /// Widens to `f64`.
    fn to_f64(self) -> f64;
    /// `e` to the power of `self`, for arguments up to 0 and somewhat above; below the smallest normal number it is 0.
    fn exp(self) -> Self;
    /// The error function.
    fn erf(self) -> Self;
    /// Natural logarithm.
    fn ln(self) -> Self;
    /// Square root.
    fn sqrt(self) -> Self;
    /// The larger of two numbers.
    fn max(self, other: Self) -> Self;
    /// The smaller of two numbers.
    fn min(self, other: Self) -> Self;
    /// `self·factor + summand`, rounded once where the processor can.
    fn mul_add(self, factor: Self, summand: Self) -> Self;
    /// False for NaN and infinities.
    fn is_finite(self) -> bool;
}

impl Real for f32 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;

    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        value as f32
    }

    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(self)
    }

    /// Splits `x = n·ln 2 + r`, sums the series of `e^r` for |r| ≤ ln 2 / 2, and scales by `2^n`.
    /// Relative error below 3e-7; branch-free, so that loops over it become vector code.
    #[inline(always)]
    fn exp(self) -> Self {
        const ROUND: f32 = 12_582_912.0; // 1.5·2²³: adding it rounds to an integer, which then stands in the lowest bits.
        const LN2_HIGH: f32 = 0.693_359_4;
        const LN2_LOW: f32 = -2.121_944_4e-4;
        let x = if self > 88.0 { 88.0 } else { self }; // NaN passes through.
        let x = if x < -87.0 { -87.0 } else { x };
        let shifted = x * std::f32::consts::LOG2_E + ROUND;
        let n = shifted - ROUND;
        let r = f32::mul_add(-n, LN2_LOW, f32::mul_add(-n, LN2_HIGH, x));
        let mut series = 1.0 / 5040.0;
        for coefficient in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
            series = f32::mul_add(series, r, coefficient);
        }
        let power = f32::from_bits(shifted.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127) << 23);
        if self < -87.0 { 0.0 } else { series * power }
    }

    /// Odd rational fit `x·P(x²)/Q(x²)` on |x| ≤ 3.95 (beyond, erf rounds to ±1); absolute error below 4e-7.
    #[inline(always)]
    fn erf(self) -> Self {
        #[expect(clippy::approx_constant, reason = "the last coefficient is fitted: it lies near 2/√π, but is not it")]
        const P: [f32; 6] = [2.011_746e-6, 2.875_987e-4, 3.917_257_4e-3, 5.320_688e-2, 1.940_343_5e-1, 1.128_379];
        const Q: [f32; 6] = [3.783_964_4e-5, 1.198_185e-3, 1.527_058_4e-2, 1.155_902e-1, 5.052_9e-1, 1.0];
        let x = self.clamp(-3.95, 3.95);
        let t = x * x;
        let (mut p, mut q) = (P[0], Q[0]);
        for i in 1..6 {
            p = f32::mul_add(p, t, P[i]);
            q = f32::mul_add(q, t, Q[i]);
        }
        let value = x * p / q;
        value.clamp(-1.0, 1.0)
    }

    #[inline(always)]
    fn ln(self) -> Self {
        f32::ln(self)
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        f32::sqrt(self)
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        if self > other { self } else { other }
    }

    #[inline(always)]
    fn min(self, other: Self) -> Self {
        if self < other { self } else { other }
    }

    #[inline(always)]
    fn mul_add(self, factor: Self, summand: Self) -> Self {
        f32::mul_add(self, factor, summand)
    }

    #[inline(always)]
    fn is_finite(self) -> bool {
        f32::is_finite(self)
    }
}

impl Real for f64 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;

    fn from_f64(value: f64) -> Self {
        value
    }

    fn to_f64(self) -> f64 {
        self
    }

    fn exp(self) -> Self {
        f64::exp(self)
    }

    /// Series `2/√π·e^{-x²}·Σ 2ⁿ x^{2n+1}/(2n+1)!!`, summed until the terms vanish; ±1 beyond |x| = 6.
    fn erf(self) -> Self {
        if !self.is_finite() || self.abs() > 6.0 {
            return if self.is_nan() { self } else { self.signum() };
        }
        let (mut term, mut sum, mut n) = (self, self, 0.0);
        while term.abs() > 1e-18 * sum.abs() {
            n += 1.0;
            term *= 2.0 * self * self / (2.0 * n + 1.0);
            sum += term;
        }
        sum * (-self * self).exp() * std::f64::consts::FRAC_2_SQRT_PI
    }

    fn ln(self) -> Self {
        f64::ln(self)
    }

    fn sqrt(self) -> Self {
        f64::sqrt(self)
    }

    fn max(self, other: Self) -> Self {
        if self > other { self } else { other }
    }

    fn min(self, other: Self) -> Self {
        if self < other { self } else { other }
    }

    fn mul_add(self, factor: Self, summand: Self) -> Self {
        f64::mul_add(self, factor, summand)
    }

    fn is_finite(self) -> bool {
        f64::is_finite(self)
    }
}

#[cfg(test)]
mod tests {
    use super::Real;

    #[test]
    fn exp_of_f32_agrees_with_f64() {
        for i in -9000..=9000 {
            let x = i as f32 * 0.01;
            let (fast, exact) = (Real::exp(x).to_f64(), f64::exp(x.into()));
            let tolerance = if x < -86.0 {
                1e-37
            } else if x > 88.0 {
                f64::INFINITY
            } else {
                4e-7 * exact
            };
            assert!((fast - exact).abs() <= tolerance, "exp({x}) = {fast}, not {exact}");
        }
        assert_eq!(Real::exp(f32::NEG_INFINITY), 0.0);
    }

    #[test]
    fn erf_of_f32_agrees_with_f64() {
        for i in -8000..=8000 {
            let x = i as f32 * 0.001;
            let (fast, exact) = (Real::erf(x).to_f64(), Real::erf(f64::from(x)));
            assert!((fast - exact).abs() <= 4e-7, "erf({x}) = {fast}, not {exact}");
        }
    }

    #[test]
    fn erf_of_f64_meets_tabulated_values() {
        // Abramowitz and Stegun, table 7.1.
        for (x, value) in
            [(0.0_f64, 0.0_f64), (0.5, 0.520_499_877_813_046_5), (1.0, 0.842_700_792_949_714_9), (2.0, 0.995_322_265_018_952_7)]
        {
            assert!((Real::erf(x) - value).abs() < 1e-15, "erf({x})");
        }
    }

    #[test]
    fn not_a_number_stays_not_a_number() {
        assert!(Real::erf(f32::NAN).is_nan() && Real::erf(f64::NAN).is_nan() && Real::exp(f64::NAN).is_nan());
        assert!(Real::exp(f32::NAN).is_nan());
    }
}
