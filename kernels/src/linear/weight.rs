//! The weight of a linear layer, packed once for the product and once more for its gradient when that is first asked for.

use std::sync::OnceLock;

use super::panels;
use crate::{Buffer, Real};

/// In which numbers products are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Precision {
    /// The numbers of the activations, f32 in an engine: the reference.
    Full,
    /// Weights and activations rounded to bf16 (8 significant bits), sums in f32.
    Bf16,
}

/// A weight (inputs, outputs) in panels.
///
/// ```
/// use kernels::linear::Weight;
/// // PyTorch's order: one row of inputs for each output.
/// let weight = Weight::from_rows(2, 3, &[1.0f32, 10.0, 2.0, 20.0, 3.0, 30.0]);
/// assert_eq!((weight.inputs(), weight.outputs()), (2, 3));
/// assert_eq!(weight.to_rows(), [1.0, 10.0, 2.0, 20.0, 3.0, 30.0]);
/// ```
#[derive(Debug, Clone)]
pub struct Weight<T: Real> {
    inputs: usize,
    outputs: usize,
    panels: Panels<T>,
    turned: OnceLock<Panels<T>>,
}

/// Values in the order of [`panels`].
#[derive(Debug, Clone)]
pub(super) enum Panels<T: Real> {
    Full(Buffer<T>),
    Bf16(Buffer<u16>),
}

impl<T: Real> Weight<T> {
    /// Zeros; `inputs·outputs` values are taken.
    pub fn zeros(inputs: usize, outputs: usize) -> Self {
        Self::from_panels(inputs, outputs, Panels::Full(Buffer::zeros(inputs * outputs)))
    }

    /// A weight whose values are still to come: takes no memory for them.
    pub fn unfilled(inputs: usize, outputs: usize) -> Self {
        Self::from_panels(inputs, outputs, Panels::Full(Buffer::zeros(0)))
    }

    /// From PyTorch's order, (outputs, inputs) row after row.
    ///
    /// # Panics
    /// Where there are not `inputs·outputs` values.
    pub fn from_rows(inputs: usize, outputs: usize, rows: &[T]) -> Self {
        assert_eq!(rows.len(), inputs * outputs, "a weight of {inputs} inputs and {outputs} outputs");
        Self::from_panels(inputs, outputs, Panels::Full(panels::pack(rows, inputs, outputs)))
    }

    fn from_panels(inputs: usize, outputs: usize, panels: Panels<T>) -> Self {
        Self { inputs, outputs, panels, turned: OnceLock::new() }
    }

    /// PyTorch's order, (outputs, inputs); rounded values come back rounded.
    pub fn to_rows(&self) -> Vec<T> {
        match &self.panels {
            Panels::Full(values) => panels::unpack(values, self.inputs, self.outputs),
            Panels::Bf16(values) => {
                let at = |output, input| values[panels::rounded_index(self.inputs, input, output)];
                let rows = (0..self.outputs).flat_map(|output| (0..self.inputs).map(move |input| (output, input)));
                rows.map(|(output, input)| T::from_f64(panels::from_bf16(at(output, input)).into())).collect()
            }
        }
    }

    /// The same weight rounded to bf16, a half of the memory; the unrounded values are given up.
    pub fn rounded(self) -> Self {
        let Panels::Full(values) = &self.panels else { return self };
        Self::from_panels(self.inputs, self.outputs, Panels::Bf16(panels::round(values, self.inputs, self.outputs)))
    }

    /// Width of the layer's input.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Width of the layer's output.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// How the values are kept.
    pub fn precision(&self) -> Precision {
        match self.panels {
            Panels::Full(_) => Precision::Full,
            Panels::Bf16(_) => Precision::Bf16,
        }
    }

    /// The values in an order of their own, for what treats all alike; empty where they are rounded or still to come.
    pub fn values(&self) -> &[T] {
        match &self.panels {
            Panels::Full(values) => values,
            Panels::Bf16(_) => &[],
        }
    }

    /// As [`Weight::values`], to be changed: the orientation of the backward pass is packed anew when next needed.
    pub fn values_mut(&mut self) -> &mut [T] {
        self.turned = OnceLock::new();
        match &mut self.panels {
            Panels::Full(values) => values,
            Panels::Bf16(_) => &mut [],
        }
    }

    /// Bytes that the values take now, in every orientation that has been used.
    pub fn bytes(&self) -> usize {
        let bytes = |panels: &Panels<T>| match panels {
            Panels::Full(values) => size_of_val(&values[..]),
            Panels::Bf16(values) => size_of_val(&values[..]),
        };
        bytes(&self.panels) + self.turned.get().map_or(0, bytes)
    }

    pub(super) fn panels(&self) -> &Panels<T> {
        &self.panels
    }

    /// Panels (outputs, inputs), packed when first asked for.
    pub(super) fn turned(&self) -> &Panels<T> {
        self.turned.get_or_init(|| match &self.panels {
            Panels::Full(values) => Panels::Full(panels::turn(values, self.inputs, self.outputs)),
            Panels::Bf16(values) => Panels::Bf16(panels::turn_rounded(values, self.inputs, self.outputs)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::seeded;

    #[test]
    fn memory_is_counted_by_orientation() {
        let weight = Weight::from_rows(64, 96, &seeded::<f32>(1, 64 * 96));
        assert_eq!(weight.bytes(), 4 * 64 * 96);
        weight.turned();
        assert_eq!(weight.bytes(), 2 * 4 * 64 * 96);
        let rounded = weight.rounded();
        assert_eq!((rounded.bytes(), rounded.precision()), (2 * 64 * 96, Precision::Bf16));
    }

    #[test]
    fn changed_values_are_turned_anew() {
        let mut weight = Weight::from_rows(1, 1, &[1.0f64]);
        let turned = |weight: &Weight<f64>| match weight.turned() {
            Panels::Full(values) => values[0],
            Panels::Bf16(_) => unreachable!("the weight is not rounded"),
        };
        assert_eq!(turned(&weight), 1.0);
        weight.values_mut()[0] = 2.0;
        assert_eq!(turned(&weight), 2.0);
    }
}
