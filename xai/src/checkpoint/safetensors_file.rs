//! The tensors of a checkpoint, in one safetensors file or several.

use std::collections::BTreeMap;

use candle_core::safetensors::SliceSafetensors;
use candle_core::{DType, Device};

use super::names::MOST_TENSORS;
use super::refusal::{Reason, Refusal};
use super::safetensors_header;
use super::stored::Stored;
use crate::Error;

/// No trained weight comes near it; two layers of such weights, squared in a variance, leave the range of `f32`.
const LARGEST_VALUE: f32 = 1e6;
/// Below this many values a tensor may be tiny as a whole.
const FEW: usize = 16;

/// The tensors of a checkpoint by name.
pub(super) struct Tensors<'a> {
    path: String,
    readers: Vec<SliceSafetensors<'a>>,
    /// Which reader has a tensor.
    places: BTreeMap<String, usize>,
    shapes: BTreeMap<String, Vec<usize>>,
}

impl<'a> Tensors<'a> {
    pub fn open(stored: &'a Stored) -> Result<Self, Error> {
        let mut tensors = Self { path: stored.path.clone(), readers: Vec::new(), places: BTreeMap::new(), shapes: BTreeMap::new() };
        for part in &stored.parts {
            tensors.add(&part.bytes).map_err(|refusal| refusal.of(part.path.clone().unwrap_or_else(|| stored.path.clone())))?;
        }
        if tensors.shapes.len() > MOST_TENSORS {
            let problem = format!("it holds {} tensors; a vision transformer has at most {MOST_TENSORS}", tensors.shapes.len());
            return Err(Refusal::new(Reason::TooComplex, problem).of(&tensors.path));
        }
        Ok(tensors)
    }

    fn add(&mut self, bytes: &'a [u8]) -> Result<(), Refusal> {
        safetensors_header::check(bytes)?;
        let reader = SliceSafetensors::new(bytes);
        let reader = reader.map_err(|error| Refusal::malformed(format!("it is no readable safetensors file ({error})")))?;
        for (name, view) in reader.tensors() {
            if self.shapes.insert(name.clone(), view.shape().to_vec()).is_some() {
                return Err(Refusal::new(Reason::DuplicateName, format!("tensor {name} stands in another shard too")));
            }
            self.places.insert(name, self.readers.len());
        }
        self.readers.push(reader);
        Ok(())
    }

    pub fn path(&self) -> &str {
        &self.path
    }

    pub fn names(&self) -> &BTreeMap<String, Vec<usize>> {
        &self.shapes
    }

    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.shapes.get(name).map(Vec::as_slice)
    }

    /// The values of a tensor as `f32`, whatever they are stored as; refuses what no training produces.
    pub fn values(&self, name: &str) -> Result<Vec<f32>, Error> {
        let refuse = |refusal: Refusal| refusal.of(&self.path);
        let unreadable = |error: candle_core::Error| refuse(Refusal::malformed(format!("tensor {name} cannot be read ({error})")));
        let reader = self.places.get(name).and_then(|place| self.readers.get(*place));
        let reader = reader.ok_or_else(|| refuse(Refusal::malformed(format!("there is no tensor {name}"))))?;
        let tensor = reader.load(name, &Device::Cpu).map_err(unreadable)?;
        if !matches!(tensor.dtype(), DType::F32 | DType::F16 | DType::BF16 | DType::F64) {
            let problem = format!("tensor {name} holds {:?}, not floating-point numbers", tensor.dtype());
            return Err(refuse(Refusal::new(Reason::UnsupportedTensor, problem)));
        }
        let flat = tensor.to_dtype(DType::F32).and_then(|tensor| tensor.flatten_all()?.to_vec1::<f32>()).map_err(unreadable)?;
        check_values(name, &flat).map_err(refuse)?;
        Ok(flat)
    }
}

/// NaN, infinities, values beyond any weight, and floods of subnormal numbers, which slow a processor down a hundredfold.
fn check_values(name: &str, values: &[f32]) -> Result<(), Refusal> {
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
