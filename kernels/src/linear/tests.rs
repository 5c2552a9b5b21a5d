//! Every path of every instruction set against the definition in `f64`.

use super::*;
use crate::Instructions;
use crate::check::{Tolerance, assert_close, assert_gradient, seeded};

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| value.into()).collect()
}

/// `Y = X·W + b` by its definition, `W` in PyTorch's order.
fn by_definition(x: &[f64], rows: &[f64], bias: &[f64], inputs: usize) -> Vec<f64> {
    let outputs = bias.len();
    let dot = |x: &[f64], output: usize| x.iter().zip(&rows[output * inputs..]).map(|(x, w)| x * w).sum::<f64>();
    x.chunks(inputs).flat_map(|x| (0..outputs).map(move |output| dot(x, output) + bias[output])).collect()
}

/// Relative difference in the Euclidean norm; NaN where anything is.
fn relative(found: &[f32], expected: &[f64]) -> f64 {
    let difference: f64 = found.iter().zip(expected).map(|(&a, b)| (f64::from(a) - b).powi(2)).sum();
    (difference / expected.iter().map(|b| b * b).sum::<f64>()).sqrt()
}

const SHAPES: [(usize, usize, usize); 9] =
    [(1, 1, 1), (1, 7, 5), (3, 5, 33), (17, 33, 9), (15, 64, 64), (65, 129, 70), (145, 588, 96), (33, 300, 290), (700, 40, 32)];

#[test]
fn every_instruction_set_computes_full_products() {
    for instructions in Instructions::available() {
        let mut workspace = Workspace::new(instructions);
        for (rows, inputs, outputs) in SHAPES {
            let (x, w, b) = (seeded::<f32>(1, rows * inputs), seeded::<f32>(2, inputs * outputs), seeded::<f32>(3, outputs));
            let weight = Weight::from_rows(inputs, outputs, &w);
            let layer = Layer { weight: &weight, bias: Some(&b) };
            let mut y = vec![f32::NAN; rows * outputs];
            forward(Input::Plain(&x), layer, Then::Store(&mut y), &mut workspace).unwrap();
            let expected = by_definition(&wide(&x), &wide(&w), &wide(&b), inputs);
            let off = relative(&y, &expected);
            assert!(off <= 1e-6, "{instructions} {rows}x{inputs}x{outputs}: {off:e}");
            let mut dx = vec![f32::NAN; rows * inputs];
            backward(&y, &weight, Then::Store(&mut dx), &mut workspace).unwrap();
            let turned: Vec<f64> = (0..inputs * outputs).map(|at| f64::from(w[at % outputs * inputs + at / outputs])).collect();
            let off = relative(&dx, &by_definition(&wide(&y), &turned, &vec![0.0; inputs], outputs));
            assert!(off <= 1e-6, "{instructions} {rows}x{outputs}x{inputs} backward: {off:e}");
        }
    }
}

#[test]
fn every_instruction_set_computes_rounded_products() {
    for instructions in Instructions::available() {
        let mut workspace = Workspace::new(instructions);
        for (rows, inputs, outputs) in SHAPES {
            let (x, w) = (seeded::<f32>(1, rows * inputs), seeded::<f32>(2, inputs * outputs));
            let weight = Weight::from_rows(inputs, outputs, &w).rounded();
            let mut y = vec![f32::NAN; rows * outputs];
            forward(Input::Plain(&x), Layer { weight: &weight, bias: None }, Then::Store(&mut y), &mut workspace).unwrap();
            // Against the same rounded numbers only the order of sums differs.
            let round = |v: &[f32]| v.iter().map(|&v| f64::from(panels::from_bf16(panels::to_bf16(v)))).collect::<Vec<_>>();
            let off = relative(&y, &by_definition(&round(&x), &round(&w), &vec![0.0; outputs], inputs));
            assert!(off <= 1e-6, "{instructions} {rows}x{inputs}x{outputs}: {off:e}");
            let off = relative(&y, &by_definition(&wide(&x), &wide(&w), &vec![0.0; outputs], inputs));
            assert!((1e-5..=1e-2).contains(&off) || rows * inputs * outputs < 1000, "{instructions}: {off:e} is not bf16's error");
        }
    }
}

#[test]
fn a_row_has_the_same_bits_alone_and_in_a_batch() {
    let (rows, inputs, outputs) = (67, 300, 130);
    let (x, w) = (seeded::<f32>(1, rows * inputs), seeded::<f32>(2, inputs * outputs));
    for instructions in Instructions::available() {
        for weight in [Weight::from_rows(inputs, outputs, &w), Weight::from_rows(inputs, outputs, &w).rounded()] {
            let product = |x: &[f32]| {
                let mut y = vec![0.0; x.len() / inputs * outputs];
                let layer = Layer { weight: &weight, bias: None };
                forward(Input::Plain(x), layer, Then::Store(&mut y), &mut Workspace::new(instructions)).unwrap();
                y
            };
            let together = product(&x);
            for (x, together) in x.chunks(inputs).zip(together.chunks(outputs)) {
                assert_eq!(product(x), together, "{instructions}");
            }
        }
    }
}

#[test]
fn rows_are_normalised_on_the_way_in() {
    let (rows, inputs, outputs) = (19, 70, 33);
    let (x, w) = (seeded::<f32>(1, rows * inputs), seeded::<f32>(2, inputs * outputs));
    let (gain, bias) = (seeded::<f32>(3, inputs), seeded::<f32>(4, inputs));
    let affine = Affine { gain: &gain, bias: &bias, eps: 1e-6 };
    let mut normed = vec![0.0; x.len()];
    crate::layer_norm::forward(affine, &x, &mut normed).unwrap();
    let weight = Weight::from_rows(inputs, outputs, &w);
    for instructions in Instructions::available() {
        let product = |input| {
            let mut y = vec![0.0; rows * outputs];
            forward(input, Layer { weight: &weight, bias: None }, Then::Store(&mut y), &mut Workspace::new(instructions)).unwrap();
            y
        };
        assert_eq!(product(Input::Normed(&x, affine)), product(Input::Plain(&normed)), "{instructions}");
    }
}

#[test]
fn what_follows_a_product_is_its_definition() {
    let (rows, inputs, outputs) = (5, 12, 40);
    let (x, w) = (seeded::<f64>(1, rows * inputs), seeded::<f64>(2, inputs * outputs));
    let (b, scale, before) = (seeded::<f64>(3, outputs), seeded::<f64>(4, outputs), seeded::<f64>(5, rows * outputs));
    let y = by_definition(&x, &w, &b, inputs);
    let weight = Weight::from_rows(inputs, outputs, &w);
    let run = |then: Then<f64>| {
        forward(Input::Plain(&x), Layer { weight: &weight, bias: Some(&b) }, then, &mut Workspace::default()).unwrap();
    };
    let mut to = before.clone();
    run(Then::Add { to: &mut to, scale: Some(&scale) });
    let expected: Vec<f64> = (0..to.len()).map(|i| before[i] + scale[i % outputs] * y[i]).collect();
    assert_close("add", &to, &expected, Tolerance::both(1e-12));
    for activation in [Activation::Gelu, Activation::GeluTanh, Activation::Relu] {
        let (mut kept, mut after) = (vec![0.0; y.len()], vec![0.0; y.len()]);
        run(Then::Activate { activation, before: &mut kept, after: &mut after });
        assert_close("before", &kept, &y, Tolerance::both(1e-12));
        let expected: Vec<f64> = y.iter().map(|&y| activation.value(y)).collect();
        assert_close("after", &after, &expected, Tolerance::both(1e-12));
        run(Then::Gate { activation, before: &before, to: &mut to });
        let expected: Vec<f64> = y.iter().zip(&before).map(|(&y, &x)| y * activation.slope(x)).collect();
        assert_close("gate", &to, &expected, Tolerance::both(1e-12));
        let at: Vec<f64> = before.iter().take(20).copied().collect();
        let slopes: Vec<f64> = at.iter().map(|&x| activation.slope(x)).collect();
        assert_gradient("slope", &at, &slopes, |x| x.iter().map(|&x| activation.value(x)).sum());
    }
}

#[test]
fn gradients_are_the_derivatives() {
    let (rows, inputs, outputs) = (6, 4, 5);
    let (x, w, b) = (seeded::<f64>(1, rows * inputs), seeded::<f64>(2, inputs * outputs), seeded::<f64>(3, outputs));
    let weights = seeded::<f64>(4, rows * outputs);
    let weight = Weight::from_rows(inputs, outputs, &w);
    let score = |x: &[f64], weight: &Weight<f64>, bias: &[f64]| {
        let mut y = vec![0.0; rows * outputs];
        forward(Input::Plain(x), Layer { weight, bias: Some(bias) }, Then::Store(&mut y), &mut Workspace::default()).unwrap();
        y.iter().zip(&weights).map(|(a, b)| a * b).sum::<f64>()
    };
    let mut dx = vec![0.0; x.len()];
    backward(&weights, &weight, Then::Store(&mut dx), &mut Workspace::default()).unwrap();
    assert_gradient("dx", &x, &dx, |x| score(x, &weight, &b));
    let (mut dweight, mut dbias) = (Weight::zeros(inputs, outputs), vec![0.0; outputs]);
    backward_parameters(&x, &weights, &mut dweight, Some(&mut dbias)).unwrap();
    assert_gradient("dweight", &w, &dweight.to_rows(), |w| score(&x, &Weight::from_rows(inputs, outputs, w), &b));
    assert_gradient("dbias", &b, &dbias, |b| score(&x, &weight, b));
}

#[test]
fn not_a_number_is_not_hidden() {
    for instructions in Instructions::available() {
        let (weight, mut y) = (Weight::from_rows(2, 2, &[1.0f32, 2.0, 3.0, 4.0]), [0.0; 2]);
        let then = Then::Activate { activation: Activation::Relu, before: &mut [], after: &mut y };
        let layer = Layer { weight: &weight, bias: None };
        forward(Input::Plain(&[f32::NAN, 1.0]), layer, then, &mut Workspace::new(instructions)).unwrap();
        assert!(y.iter().all(|y| y.is_nan()), "{instructions}: {y:?}");
    }
}

#[test]
fn a_wrong_length_is_refused() {
    let weight = Weight::from_rows(2, 2, &[1.0f32; 4]);
    let layer = Layer { weight: &weight, bias: None };
    let refused = forward(Input::Plain(&[1.0; 3]), layer, Then::Store(&mut [0.0; 2]), &mut Workspace::default());
    assert_eq!(refused.unwrap_err().to_string(), "linear: `x` holds 3 values, its shape asks for 2");
    let refused = forward(Input::Plain(&[1.0; 4]), layer, Then::Store(&mut [0.0; 3]), &mut Workspace::default());
    assert_eq!(refused.unwrap_err().to_string(), "linear: `to` holds 3 values, its shape asks for 4");
}
