//! Checkpoints that cannot be used are refused by name, and nothing of what they claim is taken in memory.

mod goldens_reader;
mod lively;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use goldens_reader::{Values, folder, read};
use kernels::Device;
use xai::{Error, HeadKind, Vit, VitConfig};

/// A copy of the ViT golden's checkpoint that a test may damage.
struct Damaged {
    folder: tempfile::TempDir,
}

impl Damaged {
    fn new() -> Self {
        let copy = Self { folder: tempfile::tempdir().unwrap() };
        for file in ["model.safetensors", "config.json", "preprocessor_config.json"] {
            std::fs::copy(folder("hf_vit").join(file), copy.path(file)).unwrap();
        }
        copy
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    fn tensors(self, edit: impl Fn(&mut BTreeMap<String, Values>)) -> Self {
        let mut tensors = read(&self.path("model.safetensors"));
        edit(&mut tensors);
        lively::write(&self.path("model.safetensors"), &tensors);
        self
    }

    fn config(self, field: &str, value: serde_json::Value) -> Self {
        let mut config: serde_json::Value = serde_json::from_slice(&std::fs::read(self.path("config.json")).unwrap()).unwrap();
        config[field] = value;
        std::fs::write(self.path("config.json"), config.to_string()).unwrap();
        self
    }

    fn file(self, name: &str, bytes: &[u8]) -> Self {
        std::fs::write(self.path(name), bytes).unwrap();
        self
    }

    #[track_caller]
    fn expect_refusal(self, words: &[&str]) {
        refused(self.folder.path(), words);
    }
}

#[track_caller]
fn refused(path: &Path, words: &[&str]) {
    let message = Vit::load(path, &Device::Cpu).expect_err("this checkpoint must be refused").to_string();
    for word in words {
        assert!(message.contains(word), "`{word}` is not in: {message}");
    }
}

#[test]
fn the_copy_itself_is_accepted() {
    assert_eq!(Vit::load(Damaged::new().folder.path(), &Device::Cpu).unwrap().head(), HeadKind::Linear(5));
}

#[test]
fn paths_that_hold_no_checkpoint() {
    refused(Path::new("no/such/checkpoint"), &["no/such/checkpoint", "no such file"]);
    let copy = Damaged::new();
    std::fs::remove_file(copy.path("model.safetensors")).unwrap();
    copy.expect_refusal(&["holds no model.safetensors"]);
    let copy = Damaged::new().file("model.pth", b"PK");
    refused(&copy.path("model.pth"), &["model.pth", "pellucid convert model.pth model.safetensors", "[pickle-not-read]"]);
    refused(&copy.path("config.json"), &["only .safetensors"]);
}

#[test]
fn tensors_that_do_not_fit_are_named_with_their_shapes() {
    let key = "vit.encoder.layer.1.attention.attention.key.weight";
    Damaged::new().tensors(|all| drop(all.remove(key))).expect_refusal(&[key, "[18, 18]", "is missing"]);
    let extra = |all: &mut BTreeMap<String, Values>| drop(all.insert("vit.encoder.layer.7.norm9.bias".into(), values(&[2])));
    Damaged::new().tensors(extra).expect_refusal(&["vit.encoder.layer.7.norm9.bias is not expected"]);
    let shape = |all: &mut BTreeMap<String, Values>| drop(all.insert(key.into(), values(&[18, 17])));
    Damaged::new().tensors(shape).expect_refusal(&[key, "[18, 17]", "[18, 18]"]);
    let no_class = |all: &mut BTreeMap<String, Values>| {
        all.insert("classifier.weight".into(), values(&[0, 18]));
        all.insert("classifier.bias".into(), values(&[0]));
    };
    Damaged::new().tensors(no_class).expect_refusal(&["classifier", "without values", "[bad-offsets]"]);
    let no_weight = |all: &mut BTreeMap<String, Values>| drop(all.insert("classifier.weight".into(), values(&[0, 18])));
    Damaged::new().tensors(no_weight).expect_refusal(&["classes"]);
    Damaged::new()
        .tensors(|all| *all = BTreeMap::from([("conv1.weight".into(), values(&[1]))]))
        .expect_refusal(&["conv1.weight", "named neither"]);
    Damaged::new().tensors(BTreeMap::clear).expect_refusal(&["0 tensors"]);
}

fn values(shape: &[usize]) -> Values {
    Values { shape: shape.to_vec(), data: vec![0.5; shape.iter().product()] }
}

#[test]
fn values_that_are_not_finite_are_refused_with_their_place() {
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let damage = |all: &mut BTreeMap<String, Values>| all.get_mut("vit.layernorm.weight").unwrap().data[5] = bad;
        Damaged::new().tensors(damage).expect_refusal(&["vit.layernorm.weight", "not finite at index 5"]);
    }
}

#[test]
fn files_that_are_cut_or_lie_about_their_header() {
    let whole = std::fs::read(folder("hf_vit").join("model.safetensors")).unwrap();
    for kept in [0, 7, 8, 9, 600, whole.len() / 2, whole.len() - 1] {
        Damaged::new().file("model.safetensors", &whole[..kept]).expect_refusal(&["model.safetensors"]);
    }
    let claims = [0, 1, whole.len() as u64, (1 << 20) + 1, 1 << 40, 1 << 63, u64::MAX, u64::MAX - 7];
    for claim in claims {
        let lie = [&claim.to_le_bytes(), &whole[8..]].concat();
        Damaged::new().file("model.safetensors", &lie).expect_refusal(&["model.safetensors"]);
    }
    Damaged::new().file("model.safetensors", b"\x80\x02}q\x00(X\x05\x00\x00\x00state").expect_refusal(&["header claims"]);
}

#[test]
fn offsets_that_leave_the_file_are_refused() {
    for (shape, offsets) in [("[1]", "[0,4000000000]"), ("[4611686018427387904,4]", "[0,4]"), ("[1]", "[4,0]"), ("[-1]", "[0,4]")] {
        let header =
            format!(r#"{{"vit.encoder.layer.0.layernorm_before.weight":{{"dtype":"F32","shape":{shape},"data_offsets":{offsets}}}}}"#);
        let file = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &[0; 4]].concat();
        Damaged::new().file("model.safetensors", &file).expect_refusal(&["model.safetensors"]);
    }
}

/// A sparse file of 32 TB takes no room on disk, and must take none in memory.
#[test]
fn a_file_beyond_all_measure_is_refused_by_its_size() {
    let copy = Damaged::new();
    let file = std::fs::OpenOptions::new().write(true).open(copy.path("model.safetensors")).unwrap();
    if file.set_len(1 << 45).or_else(|_| file.set_len(1 << 43)).is_err() {
        // Not every file system lets a file be that large; 17 GB are still more than is read.
        file.set_len(17 << 30).unwrap();
    }
    copy.expect_refusal(&["bytes are more than"]);
}

#[test]
fn configurations_that_are_not_supported_are_refused_by_their_field() {
    use serde_json::json;
    let cases = [
        ("hidden_act", json!("quick_gelu")),
        ("hidden_act", json!("silu")),
        ("model_type", json!("swin")),
        ("model_type", json!("dinov2")),
        ("num_channels", json!(0)),
        ("num_channels", json!(4)),
        ("num_attention_heads", json!(4)),
        ("num_attention_heads", json!(0)),
        ("patch_size", json!([3, 4])),
        ("patch_size", json!(0)),
        ("image_size", json!(1 << 20)),
        ("image_size", json!([0, 21])),
        ("hidden_size", json!(1u64 << 40)),
        ("hidden_size", json!(0)),
        ("num_hidden_layers", json!(u64::MAX)),
        ("intermediate_size", json!(1 << 30)),
        ("layer_norm_eps", json!(-1.0)),
        ("layer_norm_eps", json!(1e300)),
    ];
    for (field, value) in cases {
        Damaged::new().config(field, value).expect_refusal(&["config.json", field]);
    }
    Damaged::new().config("hidden_size", json!("wide")).expect_refusal(&["config.json"]);
    Damaged::new().config("hidden_size", json!(-18)).expect_refusal(&["config.json"]);
    Damaged::new().config("id2label", json!({"0": "a", "1": "b", "7": "c"})).expect_refusal(&["id2label"]);
    Damaged::new().file("config.json", b"{ not json").expect_refusal(&["config.json", "line 1"]);
    Damaged::new().file("config.json", b"").expect_refusal(&["config.json"]);
    Damaged::new().file("config.json", &[0xff, 0xfe]).expect_refusal(&["config.json", "UTF-8"]);
    Damaged::new().file("preprocessor_config.json", b"[]").expect_refusal(&["preprocessor"]);
}

/// Every dimension at its limit: 700 GB of weights, 550 GB of them positions, from a file of 41 KB.
#[test]
fn sizes_that_no_file_holds_take_no_memory() {
    use serde_json::json;
    let sizes = [("hidden_size", 8192), ("num_hidden_layers", 128), ("num_attention_heads", 128), ("intermediate_size", 65536)];
    let copy = sizes.into_iter().fold(Damaged::new(), |copy, (field, size)| copy.config(field, json!(size)));
    let started = std::time::Instant::now();
    copy.config("patch_size", json!(1)).config("image_size", json!(4096)).expect_refusal(&["does not fit", "[1, 16777217, 8192]"]);
    assert!(started.elapsed().as_secs() < 2, "refusing took {:?}", started.elapsed());
}

#[test]
fn a_gpu_that_is_not_there_is_a_typed_error() {
    // No machine has a hundred; on one without any, the first is refused alike.
    let refused = Vit::load(&folder("hf_vit"), &Device::Cuda(99)).unwrap_err();
    assert!(matches!(refused, Error::Kernel(kernels::Error::Cuda { ordinal: 99, .. })), "{refused}");
    if let Err(refused) = Vit::load(&folder("hf_vit"), &Device::Cuda(0)) {
        assert!(matches!(refused, Error::Kernel(kernels::Error::Cuda { ordinal: 0, .. })), "{refused}");
    }
}

#[test]
fn random_models_are_refused_for_dimensions_that_make_none() {
    for head in [HeadKind::Linear(0), HeadKind::Dnn3(0), HeadKind::Linear(usize::MAX)] {
        assert!(matches!(Vit::random(VitConfig::tiny_for_tests(), head, 1), Err(Error::Shape { .. })), "{head:?}");
    }
    let uneven = VitConfig { num_attention_heads: 5, ..VitConfig::tiny_for_tests() };
    assert!(matches!(Vit::random(uneven, HeadKind::None, 1), Err(Error::Config { .. })));
}
