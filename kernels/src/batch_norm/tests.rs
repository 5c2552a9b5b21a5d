//! The formula by differences, PyTorch's numbers, and what is refused.

use super::*;
use crate::check::{Tolerance, assert_close, assert_gradient, seeded};

const ROWS: usize = 4;
const WIDTH: usize = 3;

fn score(x: &[f64], gain: &[f64], bias: &[f64], weights: &[f64]) -> f64 {
    let mut y = vec![0.0; x.len()];
    forward(Affine { gain, bias, eps: EPS }, x, &mut y).unwrap();
    y.iter().zip(weights).map(|(a, b)| a * b).sum()
}

#[test]
fn gradients_are_the_derivatives() {
    let (x, weights) = (seeded::<f64>(1, ROWS * WIDTH), seeded::<f64>(2, ROWS * WIDTH));
    let (gain, bias) = (seeded::<f64>(3, WIDTH), seeded::<f64>(4, WIDTH));
    let affine = Affine { gain: &gain, bias: &bias, eps: EPS };
    let batch = forward(affine, &x, &mut vec![0.0; x.len()]).unwrap();
    let (mut dx, mut dgain, mut dbias) = (vec![9.0; x.len()], vec![0.0; WIDTH], vec![0.0; WIDTH]);
    let gradient = AffineGradient { gain: &mut dgain, bias: &mut dbias };
    backward(affine, &batch, &x, &weights, &mut dx, gradient).unwrap();
    assert_gradient("dx", &x, &dx, |x| score(x, &gain, &bias, &weights));
    assert_gradient("dgain", &gain, &dgain, |gain| score(&x, gain, &bias, &weights));
    assert_gradient("dbias", &bias, &dbias, |bias| score(&x, &gain, bias, &weights));
}

/// `torch.nn.BatchNorm1d(2)` in float64 with gain (0.5, −2) and bias (1, 0.25) on x = [[1, 10], [2, −3], [4, 5.5]], pulled back from
/// dy = [[1, 0.5], [−2, 1], [0.25, −1]].
#[test]
fn numbers_are_pytorchs() {
    let affine = Affine { gain: &[0.5, -2.0], bias: &[1.0, 0.25], eps: EPS };
    let (x, dy) = ([1.0, 10.0, 2.0, -3.0, 4.0, 5.5], [1.0, 0.5, -2.0, 1.0, 0.25, -1.0]);
    let mut y = [0.0f64; 6];
    let batch = forward(affine, &x, &mut y).unwrap();
    assert_close("y", &y, &Y, Tolerance::absolute(1e-14));
    let (mut dx, mut dgain, mut dbias) = ([0.0; 6], [0.0; 2], [0.0; 2]);
    backward(affine, &batch, &x, &dy, &mut dx, AffineGradient { gain: &mut dgain, bias: &mut dbias }).unwrap();
    assert_close("dx", &dx, &DX, Tolerance::absolute(1e-14));
    assert_close("dgain", &dgain, &DGAIN, Tolerance::absolute(1e-14));
    assert_close("dbias", &dbias, &DBIAS, Tolerance::absolute(1e-14));
    let (mut mean, mut variance) = ([0.0; 2], [1.0; 2]);
    follow(&mut mean, &batch.mean).unwrap();
    follow(&mut variance, &batch.variance).unwrap();
    assert_close("running mean", &mean, &RUNNING_MEAN, Tolerance::absolute(1e-14));
    assert_close("running variance", &variance, &RUNNING_VARIANCE, Tolerance::absolute(1e-14));
}

#[test]
fn f32_agrees_with_f64_far_from_zero() {
    let x: Vec<f32> = seeded::<f32>(7, 65 * 16).iter().map(|v| v * 3.0 + 200.0).collect();
    let wide: Vec<f64> = x.iter().map(|v| f64::from(*v)).collect();
    let (mut y, mut exact) = (vec![0.0f32; x.len()], vec![0.0f64; x.len()]);
    forward(Affine { gain: &[1.0; 16], bias: &[0.5; 16], eps: EPS }, &x, &mut y).unwrap();
    forward(Affine { gain: &[1.0; 16], bias: &[0.5; 16], eps: EPS }, &wide, &mut exact).unwrap();
    assert_close("batch norm", &y, &exact, Tolerance::absolute(1e-6));
}

#[test]
fn one_picture_has_no_variance_and_the_remedy_is_named() {
    let affine = Affine { gain: &[1.0f32; 4], bias: &[0.0; 4], eps: EPS };
    let refused = forward(affine, &[0.0; 4], &mut [0.0; 4]).unwrap_err();
    assert!(matches!(refused, Error::NoVariance { rows: 1 }) && refused.to_string().contains("two pictures or more"), "{refused}");
    assert!(matches!(forward(affine, &[], &mut []), Err(Error::NoVariance { rows: 0 })));
    assert!(matches!(forward(affine, &[0.0; 9], &mut [0.0; 9]), Err(Error::Length { argument: "x", .. })));
    assert!(matches!(follow(&mut [0.0f32], &[]), Err(Error::Length { .. })));
}

const Y: [f64; 6] = [
    0.465_479_234_274_851_2,
    -1.914_373_076_906_646,
    0.866_369_808_568_712_7,
    2.909_086_923_056_737,
    1.668_150_957_156_436,
    -0.244_713_846_150_090_45,
];
const DX: [f64; 6] = [
    0.472_478_360_927_560_1,
    -0.262_314_165_403_576_1,
    -0.708_717_219_249_199_6,
    -0.138_872_289_094_083_8,
    0.236_238_858_321_639_46,
    0.401_186_454_497_659_9,
];
const DGAIN: [f64; 2] = [-0.200_445_287_146_930_72, -1.035_807_115_376_752];
const DBIAS: [f64; 2] = [-0.75, 0.5];
const RUNNING_MEAN: [f64; 2] = [0.233_333_333_333_333_36, 0.416_666_666_666_666_7];
const RUNNING_VARIANCE: [f64; 2] = [1.133_333_333_333_333_3, 5.258_333_333_333_334];
