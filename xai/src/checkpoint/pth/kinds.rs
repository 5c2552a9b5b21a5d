//! What a file is if it is no archive of a state dict, and the line of Python that makes one of it.

use super::super::refusal::{Reason, Refusal};

/// How PyTorch's format before version 1.6 begins: a pickle of a number of its own.
const LEGACY: &[u8] = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.";

/// Refuses by name what is no zip archive.
pub(super) fn expect_archive(bytes: &[u8]) -> Result<(), Refusal> {
    if bytes.starts_with(b"PK\x03\x04") {
        return Ok(());
    }
    if bytes.starts_with(LEGACY) {
        return Err(Refusal::new(Reason::LegacyFormat, "it is in PyTorch's format before version 1.6"));
    }
    if bytes.get(257..262) == Some(b"ustar") {
        return Err(Refusal::new(Reason::TarFormat, "it is a tar archive, PyTorch's oldest format"));
    }
    let found = match bytes {
        [] => "empty".to_owned(),
        [0x80, 2..=5, ..] => "a bare pickle, which PyTorch never writes".to_owned(),
        [0x1f, 0x8b, ..] => "compressed with gzip".to_owned(),
        [0x89, b'H', b'D', b'F', ..] => "an HDF5 file".to_owned(),
        [b'G', b'G', b'U', b'F', ..] => "a GGUF file".to_owned(),
        [_, _, _, _, _, _, _, _, b'{', ..] => "a safetensors file: give it that ending".to_owned(),
        _ => format!("no archive (it begins with {:02x?})", &bytes[..bytes.len().min(8)]),
    };
    Err(Refusal::new(Reason::WrongKind, format!("the file is {found}")))
}

/// Adds what a person can do about a refusal, where PyTorch can read what is not read here.
pub(super) fn with_remedy(refusal: Refusal) -> Refusal {
    let save = |loaded: &str| {
        format!(
            "python -c \"import torch, safetensors.torch as s; \
             s.save_file({{k: v.contiguous().clone() for k, v in {loaded}.items()}}, 'model.safetensors')\""
        )
    };
    const WEIGHTS: &str = "torch.load('model.pth', map_location='cpu', weights_only=True)";
    const WHOLE: &str = "torch.load('model.pth', map_location='cpu', weights_only=False).state_dict()";
    let remedy = match refusal.reason {
        Reason::LegacyFormat | Reason::TarFormat | Reason::Compressed => format!("PyTorch can convert it: {}", save(WEIGHTS)),
        Reason::TorchScript => {
            let loaded = "torch.jit.load('model.pth', map_location='cpu').state_dict()";
            format!("PyTorch can convert it, if you trust where it came from: {}", save(loaded))
        }
        Reason::PickledModule => {
            format!("PyTorch can convert it, but runs what stands in the file, so only if you trust where it came from: {}", save(WHOLE))
        }
        Reason::UnsupportedTensor => format!("PyTorch can convert it once its tensors are plain ones: {}", dense(&save(WEIGHTS))),
        Reason::ForbiddenGlobal | Reason::ForbiddenOpcode => {
            "Do not open it with torch.load either, unless you trust where it came from".into()
        }
        _ => return refusal,
    };
    Refusal { problem: format!("{}. {remedy}", refusal.problem), ..refusal }
}

/// The same line for sparse and quantised tensors.
fn dense(line: &str) -> String {
    let plain = "(v.dequantize() if v.is_quantized else v.to_dense() if v.layout != torch.strided else v).float()";
    line.replace("v.contiguous().clone()", &format!("{plain}.contiguous().clone()"))
}
