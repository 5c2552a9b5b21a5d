//! A safetensors file, its header checked before anything of the stated sizes is taken.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use candle_core::safetensors::SliceSafetensors;
use candle_core::{DType, Device};

use super::tensors::{Reader, Tensors};
use crate::Error;

/// Headers of real vision transformers take tens of kilobytes.
const LARGEST_HEADER: u64 = 1 << 20;
/// Opens the bytes of a safetensors file.
pub(super) fn open<'a>(path: &Path, bytes: &'a [u8]) -> Result<Tensors<'a>, Error> {
    let path = path.display().to_string();
    let refuse = |problem: String| Error::Checkpoint { path: path.clone(), problem };
    check_header(bytes).map_err(refuse)?;
    let reader = SliceSafetensors::new(bytes).map_err(|error| refuse(format!("not a readable safetensors file ({error})")))?;
    Tensors::new(path, reader)
}

impl Reader for SliceSafetensors<'_> {
    fn shapes(&self) -> BTreeMap<String, Vec<usize>> {
        self.tensors().into_iter().map(|(name, view)| (name, view.shape().to_vec())).collect()
    }

    fn read(&self, name: &str) -> Result<Vec<f32>, String> {
        let unreadable = |error: candle_core::Error| format!("cannot be read ({error})");
        let tensor = self.load(name, &Device::Cpu).map_err(unreadable)?;
        if !matches!(tensor.dtype(), DType::F32 | DType::F16 | DType::BF16 | DType::F64) {
            return Err(format!("holds {:?}, not floating-point numbers", tensor.dtype()));
        }
        tensor.to_dtype(DType::F32).and_then(|tensor| tensor.flatten_all()?.to_vec1::<f32>()).map_err(unreadable)
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
