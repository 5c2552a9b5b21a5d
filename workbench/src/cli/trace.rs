//! `pellucid trace`: the insides of one pass as a safetensors file, and the size of a model.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clap::Args;
use ndarray::{ArrayBase, Data, Dimension};
use safetensors::tensor::{Dtype, TensorView, serialize_to_file};
use xai::{Batch, HeadFusion, HeadKind, Probe, Target, Trace, Vit};

use super::explain::read_pixels;
use super::model::{ModelArguments, thousands};
use super::picture_file;

/// Write the insides of one pass.
#[derive(Debug, Args)]
#[command(
    after_help = "Writes logits, features, tokens (every token after the last norm) and attention_mean.L per layer;\nwith --attention also attention.L of every head, with --gradients also pixel_gradient and attention_gradient.L.\nWithout IMAGE and --pixels only the model's size is printed.\n\nExample: pellucid trace lesion.jpg --model hf:facebook/dinov2-small --out trace.safetensors --attention"
)]
pub struct Arguments {
    /// A JPEG or PNG picture
    #[arg(value_name = "IMAGE", conflicts_with = "pixels")]
    image: Option<PathBuf>,

    /// Prepared pixels instead of a picture: float32 (B, 3, H, W) or (3, H, W)
    #[arg(long, value_name = "FILE.npy")]
    pixels: Option<PathBuf>,

    #[command(flatten)]
    model: ModelArguments,

    /// The file to write
    #[arg(long, value_name = "FILE.safetensors", default_value = "trace.safetensors")]
    out: PathBuf,

    /// Write the attention maps of every head as well
    #[arg(long)]
    attention: bool,

    /// Write the target's gradients at pixels and attention maps as well
    #[arg(long)]
    gradients: bool,

    /// Target of the gradients: `predicted`, a class, or A:B
    #[arg(long, value_name = "predicted|CLASS|A:B", default_value = "predicted")]
    target: String,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let vit = arguments.model.load()?;
    print_size(&vit);
    let Some(batch) = batch(arguments, &vit)? else { return Ok(()) };
    let target = if arguments.gradients { Target::parse(&arguments.target, vit.labels())? } else { Target::Predicted };
    let probe = if arguments.gradients { Probe::Gradients } else { Probe::Attention };
    let trace = vit.trace(&batch, probe)?;
    if trace.parts() > 1 {
        eprintln!("the device's memory was too small for all pictures at once: they were traced in {} parts", trace.parts());
    }
    let pieces = pieces(arguments, &trace, target)?;
    write(&arguments.out, &pieces)?;
    println!("{} tensors in {}", pieces.len(), arguments.out.display());
    Ok(())
}

fn print_size(vit: &Vit) {
    println!("parameters: {}", thousands(vit.parameters()));
    match vit.head() {
        HeadKind::None => println!("head: none (features and class-agnostic methods only)"),
        HeadKind::Linear(classes) => println!("head: linear, {classes} classes, {} parameters", thousands(vit.head_parameters())),
        HeadKind::Distilled(classes) => {
            println!("head: two linear layers, {classes} classes, {} parameters", thousands(vit.head_parameters()));
        }
        HeadKind::Dnn3(classes) => println!("head: DNN-3-hidden, {classes} classes, {} parameters", thousands(vit.head_parameters())),
    }
}

fn batch(arguments: &Arguments, vit: &Vit) -> anyhow::Result<Option<Batch>> {
    if let Some(file) = &arguments.pixels {
        return read_pixels(file).map(Some);
    }
    let Some(file) = &arguments.image else { return Ok(None) };
    let (decoded, _) = picture_file::open(file).map_err(|refused| anyhow!("refused {refused}"))?;
    Ok(Some(vit.preprocessor().prepare(&decoded.image)?))
}

/// A tensor on its way into the file.
struct Piece {
    name: String,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

fn piece<S: Data<Elem = f32>, D: Dimension>(name: String, array: &ArrayBase<S, D>) -> Piece {
    Piece { name, shape: array.shape().to_vec(), bytes: array.iter().flat_map(|value| value.to_le_bytes()).collect() }
}

fn pieces(arguments: &Arguments, trace: &Trace, target: Target) -> anyhow::Result<Vec<Piece>> {
    let mut pieces = vec![piece("features".into(), &trace.features()), piece("tokens".into(), &trace.tokens()?)];
    if !trace.vit().labels().is_empty() {
        pieces.push(piece("logits".into(), &trace.logits()));
    }
    for layer in 0..trace.layers() {
        pieces.push(piece(format!("attention_mean.{layer}"), &trace.fused_attention(layer, HeadFusion::Mean)?));
        if arguments.attention {
            pieces.push(piece(format!("attention.{layer}"), &trace.attention(layer)?));
        }
    }
    if arguments.gradients {
        pieces.push(piece("pixel_gradient".into(), &trace.gradients(target)?.pixels()));
        let gradients = trace.attention_gradients(target)?;
        pieces.extend(gradients.iter().enumerate().map(|(layer, map)| piece(format!("attention_gradient.{layer}"), map)));
    }
    Ok(pieces)
}

fn write(file: &Path, pieces: &[Piece]) -> anyhow::Result<()> {
    let views = pieces.iter().map(|piece| Ok((&piece.name, TensorView::new(Dtype::F32, piece.shape.clone(), &piece.bytes)?)));
    let views = views.collect::<Result<Vec<_>, safetensors::SafeTensorError>>()?;
    serialize_to_file(views, None, file).with_context(|| format!("{} cannot be written", file.display()))
}
