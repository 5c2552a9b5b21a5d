//! The names that a pickle may ask for; nothing is ever called, they only say what the values beside them mean.

use safetensors::Dtype;

use super::super::refusal::{Reason, Refusal};

/// An allowed name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Global {
    OrderedDict,
    RebuildTensor,
    RebuildParameter,
    Storage(Dtype),
    /// Settings beside the weights: what it makes is passed over unread.
    Inert,
}

/// Modules whose classes are whole models.
const OF_MODELS: [&str; 6] = ["torch.nn.", "torchvision.", "timm.", "transformers.", "vit_pytorch.", "torch.fx."];

/// Looks a name up.
pub(super) fn lookup(module: &str, name: &str) -> Result<Global, Refusal> {
    match (module, name) {
        ("collections", "OrderedDict") => Ok(Global::OrderedDict),
        ("torch._utils", "_rebuild_tensor_v2") => Ok(Global::RebuildTensor),
        ("torch._utils", "_rebuild_parameter") => Ok(Global::RebuildParameter),
        ("torch", "Size" | "device") | ("argparse", "Namespace") | ("_codecs", "encode") => Ok(Global::Inert),
        ("numpy", "dtype") | ("numpy.core.multiarray" | "numpy._core.multiarray", "scalar") => Ok(Global::Inert),
        ("torch", _) if is_dtype(name) => Ok(Global::Inert),
        ("torch", _) if name.ends_with("Storage") => storage(name).map(Global::Storage),
        _ => Err(refused(module, name)),
    }
}

fn is_dtype(name: &str) -> bool {
    ["float16", "float32", "float64", "bfloat16", "int8", "int16", "int32", "int64", "uint8", "bool"].contains(&name)
}

fn storage(name: &str) -> Result<Dtype, Refusal> {
    Ok(match name {
        "FloatStorage" => Dtype::F32,
        "DoubleStorage" => Dtype::F64,
        "HalfStorage" => Dtype::F16,
        "BFloat16Storage" => Dtype::BF16,
        "LongStorage" => Dtype::I64,
        "IntStorage" => Dtype::I32,
        "ShortStorage" => Dtype::I16,
        "CharStorage" => Dtype::I8,
        "ByteStorage" => Dtype::U8,
        "BoolStorage" => Dtype::BOOL,
        _ => return Err(unsupported(&format!("it stores numbers as torch.{name}"))),
    })
}

/// A refusal that tells what is only not supported from what has no business in a checkpoint.
fn refused(module: &str, name: &str) -> Refusal {
    let known = module == "torch._utils" || module == "torch._tensor" || (module, name) == ("torch.storage", "UntypedStorage");
    if known && (name.starts_with("_rebuild_") || name == "UntypedStorage") {
        let kind = match name {
            "_rebuild_sparse_tensor" | "_rebuild_sparse_csr_tensor" => "sparse tensors",
            "_rebuild_qtensor" => "quantised tensors",
            "_rebuild_from_type_v2" => "tensors of a class of their own",
            _ => "tensors of a kind that is not read",
        };
        return unsupported(&format!("it holds {kind} ({name})"));
    }
    let shown = format!("{}.{}", module.escape_debug(), name.escape_debug());
    if OF_MODELS.iter().any(|models| module.starts_with(models)) {
        let problem = format!("it is a whole pickled module ({shown}), not a state dict");
        return Refusal::new(Reason::PickledModule, problem);
    }
    Refusal::new(Reason::ForbiddenGlobal, format!("its pickle asks for {shown}, which no tensor needs; nothing of it was run"))
}

fn unsupported(what: &str) -> Refusal {
    Refusal::new(Reason::UnsupportedTensor, what)
}
