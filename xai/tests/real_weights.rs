//! The one place for tests on development data, which does not ship: skipped, loudly, where there is none.
//!
//! The data's directory is `PELLUCID_DATA`, or `shared/data` beside the workspace.

mod goldens_reader;

use std::fs::File;
use std::path::{Path, PathBuf};

use goldens_reader::{flat, report};
use image::{Rgb, RgbImage};
use kernels::Device;
use kernels::check::{Tolerance, assert_close};
use ndarray::{Array4, ArrayD, IxDyn};
use ndarray_npy::NpzReader;
use safetensors::SafeTensors;
use xai::{
    Activation, Batch, HeadKind, Hints, LoadOptions, Method, Patches, Pickles, Probe, Rollout, Target, Vit, VitConfig, explain, explicit,
    to_safetensors,
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
    let worst = assert_close("hidden state", &flat(&trace.tokens().unwrap()), &expected, Tolerance::absolute(1e-4));
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

/// The digits' test set as its IDX files hold it, in the folder `PELLUCID_DIGITS` or `mnist` of the development data.
fn digits() -> Option<(Vec<u8>, Vec<u8>)> {
    let said = std::env::var_os("PELLUCID_DIGITS").map(PathBuf::from).filter(|folder| folder.is_dir());
    let Some(folder) = said.or_else(|| data("mnist")) else {
        eprintln!("SKIPPED: no digits; set PELLUCID_DIGITS to a folder with t10k-images.idx3-ubyte and t10k-labels.idx1-ubyte");
        return None;
    };
    let idx = |name: &str, header: usize| std::fs::read(folder.join(name)).unwrap()[header..].to_vec();
    Some((idx("t10k-images.idx3-ubyte", 16), idx("t10k-labels.idx1-ubyte", 8)))
}

/// How many digits of the classes it knows a model classifies, and how many there are.
fn correct(vit: &Vit, (images, labels): &(Vec<u8>, Vec<u8>)) -> (usize, usize) {
    let known: Vec<_> = images.chunks(28 * 28).zip(labels).filter(|(_, label)| usize::from(**label) < vit.labels().len()).collect();
    let right = known.chunks(100).map(|some| {
        let picture = |pixels: &[u8]| RgbImage::from_fn(28, 28, |x, y| Rgb([pixels[(y * 28 + x) as usize]; 3]));
        let prepared: Vec<Batch> = some.iter().map(|(pixels, _)| vit.preprocessor().prepare(&picture(pixels)).unwrap()).collect();
        let trace = vit.trace(&Batch::stack(&prepared).unwrap(), Probe::Logits).unwrap();
        let predicted = trace.resolve(Target::Predicted).unwrap();
        predicted.iter().zip(some).filter(|(predicted, (_, label))| **predicted == Target::Class(usize::from(**label))).count()
    });
    (right.sum(), known.len())
}

/// PyTorch 2.11 with the same weights on the same digits is right as often as is said here.
#[test]
fn the_digit_models_classify_digits() {
    let (Some(folder), Some(digits)) = (data("vit/mnist_tiny"), digits()) else { return };
    for (file, arch, by_pytorch, there_are) in [
        ("vit_371", "vit_mnist_371", 3103, 3147),
        ("vit_mnist_3class", "vit_mnist_3class", 3130, 3147),
        ("vit_mnist_gpu", "vit_mnist_gpu", 9721, 10000),
    ] {
        let vit = Vit::load_as(&folder.join(format!("{file}.safetensors")), arch, &Device::Cpu).unwrap();
        let (right, all) = correct(&vit, &digits);
        eprintln!("{file}: {right} of {all} digits, {:.2} %", 100.0 * right as f64 / all as f64);
        assert_eq!(all, there_are);
        // Two digits whose logits are equal to six places may fall either way.
        assert!(right.abs_diff(by_pytorch) <= 2, "{file}: {right}, PyTorch has {by_pytorch}");
    }
}

#[test]
fn the_digit_models_say_what_their_files_do_not_show() {
    let Some(folder) = data("vit/mnist_tiny") else { return };
    let file = folder.join("vit_mnist_gpu.safetensors");
    let refused = Vit::load(&file, &Device::Cpu).unwrap_err().to_string();
    assert!(
        ["--heads N (4 if they are 64 wide)", "--arch", "the dimensions of vit_mnist_gpu"].iter().all(|word| refused.contains(word)),
        "{refused}"
    );
    let hints = Hints { heads: Some(4), activation: Some(Activation::Relu), ..Hints::default() };
    let said = Vit::load_with(&file, &hints, &Device::Cpu).unwrap();
    assert_eq!((said.config(), said.parameters()), (&VitConfig::vit_mnist_gpu(), 499_722));
}
