//! The one place for tests on development data, which does not ship: skipped, loudly, where there is none.
//!
//! The data's directory is `PELLUCID_DATA`, or `shared/data` beside the workspace.

mod goldens_reader;

use std::fs::File;
use std::path::{Path, PathBuf};

use goldens_reader::{flat, report};
use kernels::Device;
use kernels::check::{Tolerance, assert_close};
use ndarray::{Array4, ArrayD, IxDyn};
use ndarray_npy::NpzReader;
use safetensors::SafeTensors;
use xai::{
    Batch, HeadKind, LoadOptions, Method, Patches, Pickles, Probe, Rollout, Target, Vit, VitConfig, explain, explicit, to_safetensors,
};

/// The folder `name` of the development data.
fn data(name: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).map(|parent| parent.join("shared/data"));
    let directory = std::env::var_os("PELLUCID_DATA").map(PathBuf::from).or_else(beside)?;
    let folder = directory.join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("SKIPPED: {} is not there; set PELLUCID_DATA to the development data's folder", folder.display());
    None
}

struct Reference(NpzReader<File>);

impl Reference {
    fn open(path: &Path) -> Self {
        Self(NpzReader::new(File::open(path).unwrap()).unwrap())
    }

    fn values(&mut self, name: &str) -> ArrayD<f32> {
        self.0.by_name::<ndarray::OwnedRepr<f32>, IxDyn>(name).unwrap()
    }
}

#[test]
fn dinov2_small_agrees_with_its_reference_on_a_lesion() {
    let Some(folder) = data("vit/dinov2_small") else { return };
    let mut reference = Reference::open(&folder.join("reference_ISIC_0024306.npz"));
    let vit = Vit::load_as(&folder.join("model.safetensors"), "dinov2_small", &Device::Cpu).unwrap();
    assert_eq!((vit.head(), vit.parameters()), (HeadKind::None, 22_056_192));
    let pixels: Array4<f32> = reference.values("pixel_values").into_dimensionality().unwrap();
    let trace = vit.trace(&Batch::new(pixels).unwrap(), Probe::Attention).unwrap();
    assert_eq!(trace.patches(), Patches { rows: 16, cols: 16 });

    let expected = flat(&reference.values("last_hidden_state"));
    let largest = expected.iter().fold(0.0, |most, value: &f32| f32::max(most, value.abs()));
    let worst = assert_close("hidden state", &flat(&trace.tokens()), &expected, Tolerance::absolute(1e-4));
    report(&format!("dinov2_small: hidden state, values up to {largest:.1}"), worst);
    for layer in [0, 11] {
        let expected = flat(&reference.values(&format!("attn{layer}")));
        let worst = assert_close("attention", &flat(&trace.attention(layer).unwrap()), &expected, Tolerance::absolute(1e-5));
        report(&format!("dinov2_small: attention of layer {layer}"), worst);
    }

    let table = trace.positions().unwrap(); // (257, 384), where the reference has (1, 384, 16, 16)
    let resized = Array4::from_shape_fn((1, 384, 16, 16), |(_, d, row, col)| table[[1 + row * 16 + col, d]]);
    let expected = flat(&reference.values("pos_embed_16x16"));
    report("dinov2_small: positions", assert_close("positions", &flat(&resized), &expected, Tolerance::absolute(1e-6)));
}

#[test]
fn the_row_identity_holds_on_twelve_trained_layers() {
    let Some(folder) = data("vit/dinov2_small") else { return };
    let mut reference = Reference::open(&folder.join("reference_ISIC_0024306.npz"));
    let vit = Vit::load(&folder, &Device::Cpu).unwrap();
    assert_eq!(vit.config(), &VitConfig::dinov2_small(), "the architecture follows from the dimensions");
    let batch = Batch::new(reference.values("pixel_values").into_dimensionality().unwrap()).unwrap();
    let trace = vit.trace(&batch, Probe::Attention).unwrap();
    for settings in [Rollout::abnar_2020(), Rollout::vit_explain_fixed(), Rollout::vit_explain_compat()] {
        let full = explicit::rollout(&trace, &settings).unwrap();
        let row = flat(&full.slice(ndarray::s![0, 0, 1..]));
        let map = flat(&explain(&trace, Target::Predicted, &Method::Rollout(settings)).unwrap()[0].values);
        report("dinov2_small: rollout row", assert_close("row", &map, &row, Tolerance { absolute: 1e-9, relative: 1e-5 }));
        assert!(map.iter().all(|value| value.is_finite()));
    }
}

#[test]
fn pickles_of_other_hands_read_as_their_safetensors_twins() {
    let Some(folder) = data("vit/mnist_tiny") else { return };
    for name in ["vit_371", "vit_mnist_3class", "vit_mnist_gpu"] {
        let options = LoadOptions { pickles: Pickles::InProcess, ..LoadOptions::default() };
        let pickled = to_safetensors(&folder.join(format!("{name}.pt")), &options).unwrap().safetensors;
        let twin = std::fs::read(folder.join(format!("{name}.safetensors"))).unwrap();
        let [pickled, twin] = [&pickled, &twin].map(|bytes| SafeTensors::deserialize(bytes).unwrap());
        assert_eq!(pickled.len(), twin.len(), "{name}");
        for (tensor, expected) in twin.tensors() {
            let found = pickled.tensor(&tensor).unwrap();
            assert_eq!((found.dtype(), found.shape()), (expected.dtype(), expected.shape()), "{name}: {tensor}");
            assert!(found.data() == expected.data(), "{name}: values of {tensor}");
        }
        eprintln!("{name}.pt: {} tensors equal to their safetensors twin's, bit for bit", twin.len());
    }
}
