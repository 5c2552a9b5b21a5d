//! A safetensors file, its header checked before anything of the stated sizes is taken.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use candle_core::safetensors::SliceSafetensors;
use candle_core::{DType, Device};

use crate::Error;

/// Headers of real vision transformers take tens of kilobytes.
const LARGEST_HEADER: u64 = 1 << 20;
/// The largest named architecture has some six hundred tensors.
const MOST_TENSORS: usize = 2000;

/// The tensors of a file by name.
pub(super) struct Tensors<'a> {
    path: String,
    reader: SliceSafetensors<'a>,
    shapes: BTreeMap<String, Vec<usize>>,
}

impl<'a> Tensors<'a> {
    pub fn open(path: &Path, bytes: &'a [u8]) -> Result<Self, Error> {
        let path = path.display().to_string();
        let refuse = |problem: String| Error::Checkpoint { path: path.clone(), problem };
        check_header(bytes).map_err(refuse)?;
        let broken = |error: candle_core::Error| refuse(format!("not a readable safetensors file ({error})"));
        let reader = SliceSafetensors::new(bytes).map_err(broken)?;
        let shapes: BTreeMap<_, _> = reader.tensors().iter().map(|(name, view)| (name.clone(), view.shape().to_vec())).collect();
        if shapes.is_empty() || shapes.len() > MOST_TENSORS {
            return Err(refuse(format!("it holds {} tensors; a vision transformer has 1 to {MOST_TENSORS}", shapes.len())));
        }
        Ok(Self { path, reader, shapes })
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

    /// The values of a tensor as `f32`, whatever they are stored as; refuses NaN and infinities.
    pub fn values(&self, name: &str) -> Result<Vec<f32>, Error> {
        let refuse = |problem: String| Error::Checkpoint { path: self.path.clone(), problem };
        let unreadable = |error: candle_core::Error| refuse(format!("tensor {name} cannot be read ({error})"));
        let tensor = self.reader.load(name, &Device::Cpu).map_err(unreadable)?;
        if !matches!(tensor.dtype(), DType::F32 | DType::F16 | DType::BF16 | DType::F64) {
            return Err(refuse(format!("tensor {name} holds {:?}, not floating-point numbers", tensor.dtype())));
        }
        let flat = tensor.to_dtype(DType::F32).and_then(|tensor| tensor.flatten_all()?.to_vec1::<f32>()).map_err(unreadable)?;
        match flat.iter().position(|value| !value.is_finite()) {
            Some(index) => Err(refuse(format!("tensor {name} is not finite at index {index}; the file is damaged or training diverged"))),
            None => Ok(flat),
        }
    }
}

/// Eight bytes of length, then that many bytes of JSON, and all of it inside the file.
fn check_header(bytes: &[u8]) -> Result<(), String> {
    let Some(length) = bytes.first_chunk::<8>().map(|first| u64::from_le_bytes(*first)) else {
        return Err(format!("{} bytes are no safetensors file", bytes.len()));
    };
    if length > LARGEST_HEADER {
        return Err(format!("its header claims {length} bytes, more than the {LARGEST_HEADER} that are read; is it a safetensors file?"));
    }
    if length + 8 > bytes.len() as u64 {
        return Err(format!("its header claims {length} bytes, but the file ends after {}", bytes.len()));
    }
    Ok(())
}

/// The bytes of a file of at most `most` bytes.
pub(super) fn read_bounded(path: &Path, most: u64) -> Result<Vec<u8>, Error> {
    let refuse = |problem: String| Error::Checkpoint { path: path.display().to_string(), problem };
    let file = std::fs::File::open(path).map_err(|error| refuse(format!("cannot be opened ({error})")))?;
    let size = file.metadata().map_err(|error| refuse(format!("cannot be examined ({error})")))?.len();
    if size > most {
        return Err(refuse(format!("{size} bytes are more than the {most} that are read")));
    }
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(size as usize).map_err(|_| refuse(format!("there is no memory for its {size} bytes")))?;
    file.take(size).read_to_end(&mut bytes).map_err(|error| refuse(format!("cannot be read ({error})")))?;
    Ok(bytes)
}
