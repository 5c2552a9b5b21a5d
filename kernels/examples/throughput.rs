//! Products of a vision transformer's layers by every instruction set of this processor, in GFLOP/s (medians).
//!
//! `cargo run --release -p kernels --example throughput [-- ROWS]`: several layers in turn, so that weights come from memory.

use std::time::Instant;

use kernels::activation::Activation;
use kernels::check::seeded;
use kernels::linear::{Input, Layer, Then, Weight, backward, forward};
use kernels::{Instructions, Workspace};

/// Inputs and outputs of the layers of ViT-L and ViT-B.
const LAYERS: [(usize, usize); 5] = [(1024, 3072), (1024, 1024), (1024, 4096), (4096, 1024), (768, 3072)];
const COPIES: usize = 6;
const ROUNDS: usize = 9;

fn main() {
    let rows = std::env::args().nth(1).and_then(|rows| rows.parse().ok()).unwrap_or(145);
    for (inputs, outputs) in LAYERS {
        let exact: Vec<_> = (0..COPIES).map(|at| Weight::from_rows(inputs, outputs, &seeded::<f32>(at as u64, inputs * outputs))).collect();
        let rounded: Vec<_> = exact.iter().cloned().map(Weight::rounded).collect();
        let x = seeded::<f32>(9, rows * inputs);
        let (mut y, mut dx) = (vec![0.0; rows * outputs], vec![0.0; rows * inputs]);
        for instructions in Instructions::available() {
            let mut workspace = Workspace::new(instructions);
            for (name, weights) in [("f32", &exact), ("bf16", &rounded)] {
                let there = speed(rows, (inputs, outputs), || {
                    for weight in weights {
                        let layer = Layer { weight, bias: None };
                        let then = Then::Activate { activation: Activation::Gelu, before: &mut [], after: &mut y };
                        forward(Input::Plain(&x), layer, then, &mut workspace).expect("shapes fit");
                    }
                });
                let back = speed(rows, (inputs, outputs), || {
                    weights.iter().for_each(|weight| backward(&y, weight, Then::Store(&mut dx), &mut workspace).expect("shapes fit"));
                });
                println!("{rows} x {inputs} x {outputs} {name:>4} {instructions:>10}: {there:>6.0} forward {back:>6.0} backward");
            }
        }
    }
}

/// Median GFLOP/s.
fn speed(rows: usize, (inputs, outputs): (usize, usize), mut run: impl FnMut()) -> f64 {
    let work = 2.0 * (rows * inputs * outputs * COPIES) as f64 / 1e9;
    run();
    let mut speeds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            run();
            work / start.elapsed().as_secs_f64()
        })
        .collect();
    speeds.sort_by(f64::total_cmp);
    speeds[ROUNDS / 2]
}
