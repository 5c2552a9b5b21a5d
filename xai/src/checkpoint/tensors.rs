//! Stored tensors by name, whatever they are stored in: the one seam between file formats and layouts.

use std::collections::BTreeMap;

use super::names::MOST_TENSORS;
use super::refusal::{Reason, Refusal};
use crate::Error;

/// No trained weight comes near it; two layers of such weights, squared in a variance, leave the range of `f32`.
const LARGEST_VALUE: f32 = 1e6;
/// Below this many values a tensor may be tiny as a whole.
const FEW: usize = 16;

/// What a file format must be able to do.
pub(super) trait Reader {
    /// Names and shapes of everything it holds; no values are touched.
    fn shapes(&self) -> BTreeMap<String, Vec<usize>>;

    /// The values of one of them as `f32` in row-major order, or what is wrong with it.
    fn read(&self, name: &str) -> Result<Vec<f32>, Refusal>;
}

/// The tensors of a checkpoint by name.
pub(super) struct Tensors<'a> {
    path: String,
    shapes: BTreeMap<String, Vec<usize>>,
    reader: Box<dyn Reader + 'a>,
}

impl<'a> Tensors<'a> {
    /// Takes what `reader` holds; `path` is what messages call it.
    ///
    /// # Errors
    /// [`Error::Refused`] where there are no tensors, or more than a vision transformer has.
    pub fn new(path: String, reader: impl Reader + 'a) -> Result<Self, Error> {
        let shapes = reader.shapes();
        let reason = match shapes.len() {
            0 => Reason::NoTensors,
            1..=MOST_TENSORS => return Ok(Self { path, shapes, reader: Box::new(reader) }),
            _ => Reason::TooComplex,
        };
        let problem = format!("it holds {} tensors; a vision transformer has 1 to {MOST_TENSORS}", shapes.len());
        Err(Refusal::new(reason, problem).of(path))
    }

    pub fn path(&self) -> &str {
        &self.path
    }

    /// Every name with its shape.
    pub fn names(&self) -> &BTreeMap<String, Vec<usize>> {
        &self.shapes
    }

    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.shapes.get(name).map(Vec::as_slice)
    }

    /// The values of a tensor as `f32`, whatever they are stored as; refuses what no training produces.
    pub fn values(&self, name: &str) -> Result<Vec<f32>, Error> {
        let values = self.reader.read(name).and_then(|values| check(name, &values).map(|()| values));
        values.map_err(|refusal| refusal.of(&self.path))
    }

    /// A refusal of this checkpoint because its tensors make no model.
    pub fn refuse(&self, problem: String) -> Error {
        Error::Checkpoint { path: self.path.clone(), problem }
    }
}

/// NaN, infinities, values beyond any weight, and floods of subnormal numbers, which slow a processor down a hundredfold.
fn check(name: &str, values: &[f32]) -> Result<(), Refusal> {
    if let Some(index) = values.iter().position(|value| !value.is_finite()) {
        let problem = format!("tensor {name} is not finite at index {index}; the file is damaged or training diverged");
        return Err(Refusal::new(Reason::NotFinite, problem));
    }
    if let Some(index) = values.iter().position(|value| value.abs() > LARGEST_VALUE) {
        let problem = format!("tensor {name} holds {:e} at index {index}; no trained weight is beyond {LARGEST_VALUE:e}", values[index]);
        return Err(Refusal::new(Reason::OutOfRange, problem));
    }
    let subnormal = values.iter().filter(|value| value.is_subnormal()).count();
    if values.len() >= FEW && subnormal > values.len() / 2 {
        let problem = format!("{subnormal} of the {} values of tensor {name} are subnormal; no training leaves such weights", values.len());
        return Err(Refusal::new(Reason::OutOfRange, problem));
    }
    Ok(())
}
