//! Activations against their formulas, `f32` against `f64`, and slopes against finite differences.

use super::*;
use crate::check::{Tolerance, assert_close, assert_gradient, seeded};

const ALL: [Activation; 3] = [Activation::Gelu, Activation::GeluTanh, Activation::Relu];

#[test]
fn gelu_meets_known_values() {
    // gelu(1) = Φ(1) = 0.8413447460685429, gelu(−1) = −Φ(−1) = −0.15865525393145707.
    let found = [1.0f64, -1.0].map(|x| Activation::Gelu.value(x));
    assert_close("gelu", &found, &[0.841_344_746_068_542_9, -0.158_655_253_931_457_07], Tolerance::absolute(1e-15));
}

#[test]
fn the_tanh_form_is_its_formula() {
    let x: Vec<f64> = seeded::<f64>(1, 50).iter().map(|v| v * 6.0).collect();
    let found: Vec<f64> = x.iter().map(|&x| Activation::GeluTanh.value(x)).collect();
    let formula = |x: &f64| 0.5 * x * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3))).tanh());
    assert_close("gelu_tanh", &found, &x.iter().map(formula).collect::<Vec<_>>(), Tolerance::absolute(1e-14));
}

#[test]
fn f32_agrees_with_f64() {
    let x: Vec<f32> = seeded::<f32>(3, 5000).iter().map(|v| v * 12.0).collect();
    for activation in ALL {
        let mut y = vec![0.0; x.len()];
        forward(activation, &x, &mut y).unwrap();
        let exact: Vec<f64> = x.iter().map(|&x| activation.value(f64::from(x))).collect();
        assert_close("value", &y, &exact, Tolerance::both(2e-6));
        let slopes: Vec<f32> = x.iter().map(|&x| activation.slope(x)).collect();
        let exact: Vec<f64> = x.iter().map(|&x| activation.slope(f64::from(x))).collect();
        assert_close("slope", &slopes, &exact, Tolerance::both(4e-6));
    }
}

#[test]
fn slopes_are_the_derivatives() {
    let x: Vec<f64> = seeded::<f64>(4, 30).iter().map(|v| v * 3.0).collect();
    for activation in ALL {
        let slopes: Vec<f64> = x.iter().map(|&x| activation.slope(x)).collect();
        assert_gradient("slope", &x, &slopes, |x| x.iter().map(|&x| activation.value(x)).sum());
    }
}

#[test]
fn large_values_stay_finite_and_nan_stays_nan() {
    for activation in ALL {
        let ends = [activation.value(-1e6f32), activation.value(1e6), activation.slope(-1e6), activation.slope(1e6)];
        assert_close("ends", &ends, &[0.0f32, 1e6, 0.0, 1.0], Tolerance::both(1e-6));
        assert!(activation.value(f32::NAN).is_nan(), "{activation:?}");
    }
}

#[test]
fn a_wrong_length_is_refused() {
    assert!(matches!(forward(Activation::Relu, &[1.0f32], &mut []), Err(Error::Length { argument: "y", expected: 1, found: 0, .. })));
}
