//! PyTorch's own files: every form that `torch.save` writes reads as PyTorch wrote it, or is refused by name; candle's reader is
//! the independent oracle where it can read at all.

mod goldens_reader;

use std::collections::BTreeMap;
use std::path::PathBuf;

use goldens_reader::{batch, flat, folder, read, report};
use kernels::check::{Tolerance, assert_close};
use safetensors::SafeTensors;
use serde_json::Value;
use xai::{Converted, Device, Error, HeadKind, LoadOptions, Pickles, Probe, Vit, to_safetensors};

/// A tensor's kind of number, shape and bytes.
type Tensor = (String, Vec<usize>, Vec<u8>);

fn in_process(key: Option<&str>) -> LoadOptions {
    LoadOptions { pickles: Pickles::InProcess, key: key.map(str::to_owned), ..LoadOptions::default() }
}

fn file(name: &str) -> PathBuf {
    folder("pickles").join(name)
}

fn convert(name: &str, key: Option<&str>) -> Result<Converted, Error> {
    to_safetensors(&file(name), &in_process(key))
}

/// Reads with the format's own reader, not with the engine's.
fn tensors(converted: &Converted) -> BTreeMap<String, Tensor> {
    let read = SafeTensors::deserialize(&converted.safetensors).unwrap();
    let told = |view: safetensors::tensor::TensorView| (format!("{:?}", view.dtype()), view.shape().to_vec(), view.data().to_vec());
    read.tensors().into_iter().map(|(name, view)| (name, told(view))).collect()
}

fn contents() -> BTreeMap<String, Value> {
    serde_json::from_slice(&std::fs::read(file("contents.json")).unwrap()).unwrap()
}

#[test]
fn every_form_reads_as_pytorch_wrote_it_or_is_refused_by_name() {
    let mut read = 0;
    for (name, expected) in contents() {
        let converted = convert(&name, None);
        if let Some(code) = expected.as_str() {
            let refused = converted.expect_err(&name);
            assert_eq!(refused.code(), code, "{name}: {refused}");
            continue;
        }
        let converted = converted.unwrap_or_else(|refused| panic!("{name}: {refused}"));
        let told = |(dtype, shape, bytes): Tensor| serde_json::json!({ "dtype": dtype, "shape": shape, "sha256": xai::sha256(&bytes) });
        let found: serde_json::Map<String, Value> = tensors(&converted).into_iter().map(|(name, tensor)| (name, told(tensor))).collect();
        assert_eq!(Value::from(found), expected, "{name}");
        assert_eq!(converted.sha256, xai::sha256(&std::fs::read(file(&name)).unwrap()), "{name}: the hash is of the file");
        read += 1;
    }
    assert_eq!(read, 11, "files that are read");
}

#[test]
fn what_is_refused_says_what_to_do() {
    for (name, expected) in contents() {
        let Some(code) = expected.as_str() else { continue };
        let message = convert(&name, None).unwrap_err().to_string();
        let remedy = match code {
            "legacy-format" | "pickled-module" | "torchscript" | "unsupported-tensor" => "python -c \"import torch",
            "ambiguous" => "teacher, student): name the one that is meant with --key",
            "forbidden-global" => "datetime.date, which no tensor needs; nothing of it was run. Do not open it",
            "no-tensors" => "it holds no ",
            _ => "tensor",
        };
        assert!(message.contains(remedy), "{message}");
    }
}

#[test]
fn one_of_several_state_dicts_is_taken_by_its_key() {
    let [student, teacher] = ["student", "teacher"].map(|key| tensors(&convert("two_state_dicts.pth", Some(key)).unwrap()));
    assert_eq!(student.keys().collect::<Vec<_>>(), teacher.keys().collect::<Vec<_>>());
    assert_ne!(student["blocks.0.weight"], teacher["blocks.0.weight"]);
    let refused = convert("two_state_dicts.pth", Some("principal")).unwrap_err();
    assert_eq!(refused.code(), "no-tensors");
    assert!(refused.to_string().contains("student, teacher"), "{refused}");
}

#[test]
fn what_was_passed_over_is_told() {
    let told = |name: &str| convert(name, None).unwrap().notes.join("; ");
    assert!(told("nested.pth").contains("3 tensors from the pickle's `state_dict`"));
    assert!(told("data_parallel.pth").contains("from the pickle's `net.state_dict`"));
    assert!(told("parameters.pth").contains("1 tensors from the pickle's own dict; 2 values that are no tensors were passed over"));
    assert!(told("no_checksums.pth").contains("saved without checksums"));
}

/// candle 0.11.1 reads plain state dicts of protocol 2 with tensors in order, or wholly turned around; where that is what a file
/// holds, it must find what we find.
#[test]
fn candles_reader_finds_the_same() {
    let cases =
        [("protocol_2.pth", None), ("nested.pth", Some("state_dict")), ("with_optimizer.pth", Some("model")), ("parameters.pth", None)];
    for (name, key) in cases {
        let ours = tensors(&convert(name, key).unwrap());
        let theirs = candle_core::pickle::read_all_with_key(file(name), key).unwrap();
        assert_eq!(theirs.len(), ours.len(), "{name}");
        for (tensor, values) in theirs {
            let (_, shape, bytes) = &ours[&tensor];
            assert_eq!(values.dims(), shape.as_slice(), "{name}: {tensor}");
            let values = values.to_dtype(candle_core::DType::F64).unwrap().flatten_all().unwrap().to_vec1::<f64>().unwrap();
            assert_eq!(values, numbers(&ours[&tensor].0, bytes), "{name}: {tensor}");
        }
    }
    let views = candle_core::pickle::PthTensors::new(file("views.pth"), None).unwrap();
    let ours = tensors(&convert("views.pth", None).unwrap());
    for name in ["whole", "row", "tied", "half", "transposed"] {
        let values = views.get(name).unwrap().unwrap().to_dtype(candle_core::DType::F64).unwrap().flatten_all().unwrap();
        assert_eq!(values.to_vec1::<f64>().unwrap(), numbers(&ours[name].0, &ours[name].2), "{name}");
    }
}

fn numbers(dtype: &str, bytes: &[u8]) -> Vec<f64> {
    match dtype {
        "F32" => bytes.as_chunks().0.iter().map(|four| f32::from_le_bytes(*four).into()).collect(),
        "F16" => bytes.as_chunks().0.iter().map(|two| half::f16::from_le_bytes(*two).into()).collect(),
        "I64" => bytes.as_chunks().0.iter().map(|eight| i64::from_le_bytes(*eight) as f64).collect(),
        other => panic!("no case holds {other}"),
    }
}

/// The thesis's own checkpoint: every name of its classifier, halves as they are, the batch counter a whole number.
#[test]
fn a_thesis_shaped_checkpoint_is_read_whole() {
    let path = folder("thesis").join("thesis.pth");
    let found = tensors(&to_safetensors(&path, &in_process(None)).unwrap());
    let shape = |name: &str| found.get(&format!("module.vit.{name}")).map(|(dtype, shape, _)| (dtype.as_str(), shape.as_slice()));
    assert_eq!(found.len(), 4 + 2 * 16 + 2 + 3 * 7 + 2);
    assert_eq!(shape("vit.encoder.layer.1.attention.attention.query.weight"), Some(("F16", &[8, 8][..])));
    assert_eq!(shape("classifier.fc1.weight"), Some(("F16", &[512, 8][..])));
    assert_eq!(shape("classifier.bn3.running_var"), Some(("F16", &[64][..])));
    assert_eq!(shape("classifier.bn2.num_batches_tracked"), Some(("I64", &[][..])));
    assert_eq!(found["module.vit.classifier.bn1.num_batches_tracked"].2, 1234_i64.to_le_bytes());
    let theirs = candle_core::pickle::read_all(&path).unwrap();
    assert_eq!(theirs.len(), found.len());
    for (name, values) in theirs {
        let values = values.to_dtype(candle_core::DType::F64).unwrap().flatten_all().unwrap().to_vec1::<f64>().unwrap();
        assert_eq!(values, numbers(&found[&name].0, &found[&name].2), "{name}");
    }
}

/// It loads as it lies there, with the names of transformers 4 and its BatchNorm folded, and says what PyTorch says.
#[test]
fn a_thesis_shaped_checkpoint_loads_and_agrees() {
    let vit = Vit::load_with(&folder("thesis").join("thesis.pth"), in_process(None), &Device::Cpu).unwrap();
    assert_eq!((vit.head(), vit.labels().names()[1].as_str()), (HeadKind::Dnn3(7), "melanoma"));
    let reference = read(&folder("thesis").join("reference.safetensors"));
    let trace = vit.trace(&batch(&reference["pixel_values"]), Probe::Logits).unwrap();
    let close = |what: &str, found: &[f32]| {
        report(&format!("thesis.pth: {what}"), assert_close(what, found, &reference[what].data, Tolerance::absolute(1e-5)));
    };
    close("features", &flat(&trace.features()));
    close("logits", &flat(&trace.logits()));
}

/// Any byte of a file may be damaged; then it is refused, or nothing that is read has changed.
#[test]
fn every_flipped_bit_is_found() {
    let whole = std::fs::read(file("protocol_2.pth")).unwrap();
    let expected = tensors(&convert("protocol_2.pth", None).unwrap());
    let copy = tempfile::Builder::new().suffix(".pth").tempfile().unwrap();
    let mut refused = 0;
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 1 << (at % 8);
        std::fs::write(copy.path(), &damaged).unwrap();
        match to_safetensors(copy.path(), &in_process(None)) {
            Ok(converted) => assert_eq!(tensors(&converted), expected, "byte {at}"),
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 600, "only {refused} of {} damaged files were refused", whole.len());
}
