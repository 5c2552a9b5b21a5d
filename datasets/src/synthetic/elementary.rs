//! Elementary functions made of IEEE additions, multiplications and bit moves only.
//!
//! `f32::sin` and `f32::exp` come from each platform's own library and differ in the last bit; these give the same picture
//! on every machine.

use std::f32::consts::{LN_2, LOG2_E, TAU};

/// `e^x`, relative error below 2e-6; the argument is held to [-80, 80].
pub(super) fn exp(x: f32) -> f32 {
    let scaled = x.clamp(-80.0, 80.0) * LOG2_E;
    let whole = scaled.floor();
    let p = (scaled - whole) * LN_2;
    let series =
        1.0 + p * (1.0 + p * (1.0 / 2.0 + p * (1.0 / 6.0 + p * (1.0 / 24.0 + p * (1.0 / 120.0 + p * (1.0 / 720.0 + p / 5040.0))))));
    f32::from_bits(((whole as i32 + 127) as u32) << 23) * series
}

/// `sin(2πt)`: angles are counted in turns. Absolute error below 5e-6.
pub(super) fn sin_turns(turns: f32) -> f32 {
    let centred = turns - turns.floor() - 0.5;
    let folded = if centred > 0.25 {
        0.5 - centred
    } else if centred < -0.25 {
        -0.5 - centred
    } else {
        centred
    };
    let a = folded * TAU;
    let s = a * a;
    -a * (1.0 - s / 6.0 * (1.0 - s / 20.0 * (1.0 - s / 42.0 * (1.0 - s / 72.0 * (1.0 - s / 110.0)))))
}

/// `cos(2πt)`.
pub(super) fn cos_turns(turns: f32) -> f32 {
    sin_turns(turns + 0.25)
}

/// Angle of the vector (y, x) in turns, in [-0.5, 0.5]; Abramowitz and Stegun 4.4.49, absolute error below 1e-5 radian.
pub(super) fn angle_turns(y: f32, x: f32) -> f32 {
    let (ay, ax) = (y.abs(), x.abs());
    let largest = ay.max(ax);
    if largest == 0.0 {
        return 0.0;
    }
    let r = ay.min(ax) / largest;
    let s = r * r;
    let atan = r * (0.999_866 + s * (-0.330_299_5 + s * (0.180_141 + s * (-0.085_133 + s * 0.020_835_1)))) / TAU;
    let first_octant = if ay > ax { 0.25 - atan } else { atan };
    let upper = if x < 0.0 { 0.5 - first_octant } else { first_octant };
    if y < 0.0 { -upper } else { upper }
}

/// 0 below `low`, 1 above `high`, smooth between.
pub(super) fn smoothstep(low: f32, high: f32, x: f32) -> f32 {
    let t = ((x - low) / (high - low)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_agree_with_the_platform() {
        for i in -2000..2000 {
            let x = i as f32 * 0.01;
            let relative = (f64::from(exp(x)) / f64::from(x).exp() - 1.0).abs();
            assert!(relative <= 4e-6, "exp({x}): relative error {relative}");
            let sine = (f64::from(sin_turns(x)) - (std::f64::consts::TAU * f64::from(x)).sin()).abs();
            assert!(sine <= 2e-5, "sin of {x} turns: error {sine}");
            let angle = (f64::from(angle_turns(x, 3.0)) - f64::from(x).atan2(3.0) / std::f64::consts::TAU).abs();
            assert!(angle <= 1e-5, "angle of ({x}, 3): error {angle}");
            let behind = (f64::from(angle_turns(x + 0.005, -3.0)) - f64::from(x + 0.005).atan2(-3.0) / std::f64::consts::TAU).abs();
            assert!(behind <= 1e-5, "angle of ({x}, -3): error {behind}");
        }
        assert_eq!(angle_turns(0.0, 0.0), 0.0);
        assert!(exp(f32::MIN) > 0.0 && exp(f32::MAX).is_finite());
    }
}
