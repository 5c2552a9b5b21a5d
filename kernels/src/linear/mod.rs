//! Linear layer: `Y = X·W + b` with `X` (images·rows, inputs), `W` (inputs, outputs), `b` (outputs).
//!
//! `W` lies transposed to PyTorch's order: neighbours in memory are neighbours among the outputs, so the product reads it
//! as it lies instead of packing it anew for every picture.
//!
//! Gradients: `dX = dY·Wᵀ`, `dW = Xᵀ·dY`, `db = Σ_rows dY`.

mod cpu;

use crate::error::expect_len;
use crate::{Error, Real};

/// Shape of a linear layer over a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Images in the batch.
    pub images: usize,
    /// Rows (tokens) of each image.
    pub rows: usize,
    /// Width of `X`.
    pub inputs: usize,
    /// Width of `Y`.
    pub outputs: usize,
}

impl Shape {
    fn x_len(self) -> usize {
        self.images * self.rows * self.inputs
    }

    fn y_len(self) -> usize {
        self.images * self.rows * self.outputs
    }
}

/// What a product does with the values already in its output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Onto {
    /// Replaces them.
    Fresh,
    /// Adds to them: a residual connection, or a gradient that has several sources.
    Existing,
}

/// Weight and optional bias of a layer.
#[derive(Debug, Clone, Copy)]
pub struct Parameters<'a, T> {
    /// (inputs, outputs).
    pub weight: &'a [T],
    /// (outputs), or nothing.
    pub bias: Option<&'a [T]>,
}

/// `y ← x·W + b`, or `y ← y + x·W + b`.
///
/// ```
/// use kernels::linear::{forward, Onto, Parameters, Shape};
/// let shape = Shape { images: 1, rows: 1, inputs: 2, outputs: 1 };
/// let layer = Parameters { weight: &[3.0f32, 4.0], bias: Some(&[5.0]) };
/// let mut y = [100.0];
/// forward(shape, layer, &[1.0, 2.0], Onto::Existing, &mut y).unwrap();
/// assert_eq!(y, [100.0 + 3.0 + 8.0 + 5.0]);
/// ```
pub fn forward<T: Real>(shape: Shape, layer: Parameters<T>, x: &[T], onto: Onto, y: &mut [T]) -> Result<(), Error> {
    check(shape, layer)?;
    expect_len("linear", "x", x, shape.x_len())?;
    expect_len("linear", "y", y, shape.y_len())?;
    cpu::forward(shape, layer, x, onto, y);
    Ok(())
}

/// `dx ← dy·Wᵀ`, or `dx ← dx + dy·Wᵀ`.
pub fn backward<T: Real>(shape: Shape, layer: Parameters<T>, dy: &[T], onto: Onto, dx: &mut [T]) -> Result<(), Error> {
    check(shape, layer)?;
    expect_len("linear", "dy", dy, shape.y_len())?;
    expect_len("linear", "dx", dx, shape.x_len())?;
    cpu::backward(shape, layer, dy, onto, dx);
    Ok(())
}

/// Adds `xᵀ·dy` to `weight` (inputs, outputs) and the column sums of `dy` to `bias` (outputs), over the whole batch.
pub fn backward_parameters<T: Real>(shape: Shape, x: &[T], dy: &[T], weight: &mut [T], bias: Option<&mut [T]>) -> Result<(), Error> {
    expect_len("linear", "x", x, shape.x_len())?;
    expect_len("linear", "dy", dy, shape.y_len())?;
    expect_len("linear", "weight", weight, shape.outputs * shape.inputs)?;
    cpu::backward_weight(shape, x, dy, weight);
    if let Some(bias) = bias {
        expect_len("linear", "bias", bias, shape.outputs)?;
        cpu::backward_bias(shape, dy, bias);
    }
    Ok(())
}

fn check<T>(shape: Shape, layer: Parameters<T>) -> Result<(), Error> {
    expect_len("linear", "weight", layer.weight, shape.outputs * shape.inputs)?;
    layer.bias.map_or(Ok(()), |bias| expect_len("linear", "bias", bias, shape.outputs))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{assert_gradient, seeded};

    const SHAPE: Shape = Shape { images: 2, rows: 3, inputs: 4, outputs: 5 };

    fn score(x: &[f64], weight: &[f64], bias: &[f64], weights: &[f64]) -> f64 {
        let mut y = vec![0.0; SHAPE.y_len()];
        forward(SHAPE, Parameters { weight, bias: Some(bias) }, x, Onto::Fresh, &mut y).unwrap();
        y.iter().zip(weights).map(|(a, b)| a * b).sum()
    }

    #[test]
    fn gradients_are_the_derivatives() {
        let (x, weight, bias) = (seeded::<f64>(1, SHAPE.x_len()), seeded::<f64>(2, 20), seeded::<f64>(3, 5));
        let weights = seeded::<f64>(4, SHAPE.y_len());
        let mut dx = vec![0.0; x.len()];
        backward(SHAPE, Parameters { weight: &weight, bias: None }, &weights, Onto::Fresh, &mut dx).unwrap();
        assert_gradient("dx", &x, &dx, |x| score(x, &weight, &bias, &weights));
        let (mut dweight, mut dbias) = (vec![0.0; 20], vec![0.0; 5]);
        backward_parameters(SHAPE, &x, &weights, &mut dweight, Some(&mut dbias)).unwrap();
        assert_gradient("dweight", &weight, &dweight, |weight| score(&x, weight, &bias, &weights));
        assert_gradient("dbias", &bias, &dbias, |bias| score(&x, &weight, bias, &weights));
    }

    #[test]
    fn weights_lie_inputs_by_outputs() {
        let shape = Shape { images: 1, rows: 1, inputs: 2, outputs: 3 };
        let mut y = [0.0f64; 3];
        forward(shape, Parameters { weight: &[1.0, 2.0, 3.0, 10.0, 20.0, 30.0], bias: None }, &[1.0, 2.0], Onto::Fresh, &mut y).unwrap();
        assert_eq!(y, [21.0, 42.0, 63.0]);
    }

    #[test]
    fn an_image_has_the_same_bits_alone_and_in_a_batch() {
        let (rows, inputs, outputs) = (65, 130, 70);
        let shape = |images| Shape { images, rows, inputs, outputs };
        let (x, weight) = (seeded::<f32>(1, 5 * rows * inputs), seeded::<f32>(2, outputs * inputs));
        let layer = Parameters { weight: &weight, bias: None };
        let mut together = vec![0.0; 5 * rows * outputs];
        forward(shape(5), layer, &x, Onto::Fresh, &mut together).unwrap();
        for (x, together) in x.chunks(rows * inputs).zip(together.chunks(rows * outputs)) {
            let mut alone = vec![0.0; rows * outputs];
            forward(shape(1), layer, x, Onto::Fresh, &mut alone).unwrap();
            assert_eq!(alone, together);
        }
    }

    #[test]
    fn a_wrong_weight_is_refused() {
        let layer = Parameters { weight: &[0.0f32; 3], bias: None };
        let refused = forward(SHAPE, layer, &[0.0; 24], Onto::Fresh, &mut [0.0; 30]);
        assert_eq!(refused.unwrap_err().to_string(), "linear: `weight` holds 3 values, its shape asks for 20");
    }
}
