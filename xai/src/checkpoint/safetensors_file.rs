//! The tensors of safetensors files, one or several, checked before anything of the stated sizes is taken.

use std::collections::BTreeMap;

use candle_core::safetensors::SliceSafetensors;
use candle_core::{DType, Device};

use super::refusal::{Reason, Refusal};
use super::safetensors_header;
use super::stored::Stored;
use super::tensors::{Reader, Tensors};
use crate::Error;

/// Opens a checkpoint whose bytes are in memory.
pub(super) fn open<'a>(stored: &'a Stored) -> Result<Tensors<'a>, Error> {
    let mut files = Files::default();
    for part in &stored.parts {
        files.add(&part.bytes).map_err(|refusal| refusal.of(part.path.as_ref().unwrap_or(&stored.path)))?;
    }
    Tensors::new(stored.path.clone(), files)
}

/// Files as one; every name stands in one of them.
#[derive(Default)]
struct Files<'a> {
    files: Vec<SliceSafetensors<'a>>,
    /// The file of a name.
    places: BTreeMap<String, usize>,
}

impl<'a> Files<'a> {
    fn add(&mut self, bytes: &'a [u8]) -> Result<(), Refusal> {
        let names = safetensors_header::check(bytes)?;
        let file = SliceSafetensors::new(bytes);
        let file = file.map_err(|error| Refusal::malformed(format!("it is no readable safetensors file ({error})")))?;
        for name in names {
            if self.places.contains_key(&name) {
                return Err(Refusal::new(Reason::DuplicateName, format!("tensor {name} stands in another shard too")));
            }
            self.places.insert(name, self.files.len());
        }
        self.files.push(file);
        Ok(())
    }
}

impl Reader for Files<'_> {
    fn shapes(&self) -> BTreeMap<String, Vec<usize>> {
        let views = self.files.iter().flat_map(SliceSafetensors::tensors);
        views.map(|(name, view)| (name, view.shape().to_vec())).collect()
    }

    fn read(&self, name: &str) -> Result<Vec<f32>, Refusal> {
        let unreadable = |error: candle_core::Error| Refusal::malformed(format!("tensor {name} cannot be read ({error})"));
        let file = self.places.get(name).map(|place| &self.files[*place]);
        let tensor = file.ok_or_else(|| Refusal::malformed(format!("there is no tensor {name}")))?.load(name, &Device::Cpu);
        let tensor = tensor.map_err(unreadable)?;
        if !matches!(tensor.dtype(), DType::F32 | DType::F16 | DType::BF16 | DType::F64) {
            let problem = format!("tensor {name} holds {:?}, not floating-point numbers", tensor.dtype());
            return Err(Refusal::new(Reason::UnsupportedTensor, problem));
        }
        tensor.to_dtype(DType::F32).and_then(|tensor| tensor.flatten_all()?.to_vec1::<f32>()).map_err(unreadable)
    }
}
