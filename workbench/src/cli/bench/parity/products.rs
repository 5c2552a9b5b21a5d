//! Products of matrices, with all that may follow them.

use kernels::Workspace;
use kernels::activation::Activation;
use kernels::cuda::{Address, Fault, Storage};
use kernels::linear::cuda::{Factors, Product, Scratch, Then, product};
use kernels::linear::{self, Input, Layer, Weight};

use super::{Lab, limit};
use crate::cli::bench::arrays::Array;
use crate::cli::bench::gates::{Gates, off};

const NONE: Address = Address::NONE;

/// Factors on the device and as `f64`.
struct Given {
    left: (Array, Vec<f64>),
    right: (Array, Vec<f64>),
    bias: (Array, Vec<f64>),
    other: (Array, Vec<f64>),
    partials: Array,
    extents: [usize; 3],
}

impl Given {
    /// Of extents in the order that [`Product`] names.
    fn new(lab: &Lab, extents: [usize; 3]) -> Result<Self, Fault> {
        let [rows, columns, depth] = extents;
        let put = |place, count| lab.memory.put(lab.storage, &lab.numbers(place, count));
        Ok(Self {
            left: put(1, rows * depth)?,
            right: put(2, columns * depth)?,
            bias: lab.memory.put(Storage::F32, &lab.numbers(3, columns))?,
            other: put(4, rows * columns)?,
            partials: lab.memory.poisoned(Storage::F32, 8 * rows * columns)?,
            extents,
        })
    }

    fn start(&self, lab: &Lab, which: Product, bias: Address, then: Then) -> Result<(), Fault> {
        let factors = Factors { left: self.left.0.at(), right: self.right.0.at(), bias, extents: self.extents };
        let scratch = Scratch { at: self.partials.at(), values: 8 * self.extents[0] * self.extents[1] };
        product(&*lab.memory.queue, lab.storage, which, factors, then, scratch)
    }
}

/// Columns and depth of a result with so many rows: ragged, and multiples of a pack.
fn extents(lab: &Lab, rows: usize) -> [usize; 3] {
    if lab.quick { [rows, 72, 88] } else { [rows, 1288, 1032] }
}

/// With bias and residual, as f32, and through an activation.
pub fn forward(lab: &Lab, rows: usize, gates: &mut Gates) -> Result<(), Fault> {
    let given = Given::new(lab, extents(lab, rows))?;
    let [rows, columns, depth] = given.extents;
    let sums = exact(&given, |then, workspace| {
        let weight = Weight::from_rows(depth, columns, &given.right.1);
        let layer = Layer { weight: &weight, bias: Some(&given.bias.1) };
        linear::forward(Input::Plain(&given.left.1), layer, then, workspace)
    })?;
    let wide = lab.memory.poisoned(Storage::F32, rows * columns)?;
    given.start(lab, Product::Forward, given.bias.0.at(), Then::Wide(wide.at()))?;
    let what = |kind: &str| format!("product {rows} × {columns} × {depth}, {kind}");
    gates.at_most(what("as f32"), lab.storage, limit(Storage::F32), off(&lab.memory.read(&wide)?, &sums));
    let (y, _) = lab.memory.put(lab.storage, &given.other.1)?;
    given.start(lab, Product::Forward, given.bias.0.at(), Then::Store { to: y.at(), residual: y.at() })?;
    let added: Vec<f64> = sums.iter().zip(&given.other.1).map(|(sum, other)| sum + other).collect();
    gates.at_most(what("with a residual"), lab.storage, lab.limit(), off(&lab.memory.read(&y)?, &added));
    for activation in [Activation::Gelu, Activation::GeluTanh, Activation::Relu] {
        let [before, to] = [lab.memory.poisoned(lab.storage, rows * columns)?, lab.memory.poisoned(lab.storage, rows * columns)?];
        let then = Then::Activate { activation, before: before.at(), to: to.at() };
        given.start(lab, Product::Forward, given.bias.0.at(), then)?;
        let mut after = vec![0.0; sums.len()];
        kernels::activation::forward(activation, &sums, &mut after).map_err(refused)?;
        gates.at_most(what(&format!("{activation:?}")), lab.storage, lab.limit(), off(&lab.memory.read(&to)?, &after));
        gates.at_most(what("before it"), lab.storage, lab.limit(), off(&lab.memory.read(&before)?, &sums));
    }
    Ok(())
}

/// As it is, and gated by an activation's derivative.
pub fn backward(lab: &Lab, rows: usize, gates: &mut Gates) -> Result<(), Fault> {
    let given = Given::new(lab, extents(lab, rows))?;
    let [rows, columns, depth] = given.extents;
    // The device reads (depth, columns): a weight of so many outputs and inputs.
    let weight = Weight::from_rows(columns, depth, &given.right.1);
    let plain = exact(&given, |then, workspace| linear::backward(&given.left.1, &weight, then, workspace))?;
    let what = |kind: &str| format!("product back {rows} × {columns} × {depth}, {kind}");
    let y = lab.memory.poisoned(lab.storage, rows * columns)?;
    given.start(lab, Product::Backward, NONE, Then::Store { to: y.at(), residual: NONE })?;
    gates.at_most(what("as it is"), lab.storage, lab.limit(), off(&lab.memory.read(&y)?, &plain));
    let mut gated = vec![0.0; rows * columns];
    let then = linear::Then::Gate { activation: Activation::Gelu, before: &given.other.1, to: &mut gated };
    linear::backward(&given.left.1, &weight, then, &mut Workspace::default()).map_err(refused)?;
    let y = lab.memory.poisoned(lab.storage, rows * columns)?;
    let then = Then::Gate { activation: Activation::Gelu, before: given.other.0.at(), to: y.at() };
    given.start(lab, Product::Backward, NONE, then)?;
    gates.at_most(what("gated"), lab.storage, lab.limit(), off(&lab.memory.read(&y)?, &gated));
    Ok(())
}

/// Gradients of weights, added to what stands there.
pub fn weights(lab: &Lab, rows: usize, gates: &mut Gates) -> Result<(), Fault> {
    let [depth, columns, outputs] = extents(lab, rows);
    let given = Given::new(lab, [outputs, columns, depth])?;
    let (sums, before) = lab.memory.put(Storage::F32, &lab.numbers(5, outputs * columns))?;
    given.start(lab, Product::Weights, NONE, Then::Wide(sums.at()))?;
    let mut weight = Weight::from_rows(columns, outputs, &before);
    linear::backward_parameters(&given.right.1, &given.left.1, &mut weight, None).map_err(refused)?;
    let seen = off(&lab.memory.read(&sums)?, &weight.to_rows());
    gates.at_most(format!("product for weights {outputs} × {columns} × {depth}"), lab.storage, limit(Storage::F32), seen);
    Ok(())
}

/// What the processor's kernel makes in `f64`.
fn exact(given: &Given, run: impl FnOnce(linear::Then<f64>, &mut Workspace<f64>) -> Result<(), kernels::Error>) -> Result<Vec<f64>, Fault> {
    let mut y = vec![0.0; given.extents[0] * given.extents[1]];
    run(linear::Then::Store(&mut y), &mut Workspace::default()).map_err(refused)?;
    Ok(y)
}

/// A shape that the processor's kernel does not take would be a mistake of ours.
pub fn refused(error: kernels::Error) -> Fault {
    Fault::Unsupported(error.to_string())
}
