//! `pellucid explain`: pictures in; overlays, maps and `explanation.json` out.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use clap::Args;
use datasets::Decoded;
use image::RgbImage;
use ndarray::{ArrayViewD, Ix4};
use ndarray_npy::ViewNpyExt;
use xai::{Batch, HeadKind, Method, Target, Vit, Window};

use super::explanation::{Explanation, ImageFacts, ModelFacts};
use super::map_files::{MapFiles, stem, unique};
use super::methods::MethodArguments;
use super::model::ModelArguments;
use super::picture_file;
use super::style::StyleArguments;
use crate::names::{visible, visible_json};
use crate::pipeline::{self, Question, Reading};
use crate::progress::PassBar;

/// Explain pictures.
#[derive(Debug, Args)]
#[command(
    after_help = "Writes, for each picture and method: NAME.METHOD.png (original beside overlay), NAME.METHOD.grid.npy (patches),\nNAME.METHOD.full.npy (the model's input pixels); and one explanation.json with logits, recipes and hashes.\n\nExample: pellucid explain lesion.jpg --model ./vit --method rollout,relevance --target melanoma:nevus --out maps"
)]
pub struct Arguments {
    /// JPEG or PNG pictures
    #[arg(value_name = "IMAGE", required_unless_present = "pixels")]
    images: Vec<PathBuf>,

    /// Prepared pixels instead of pictures: float32 (B, 3, H, W) or (3, H, W)
    #[arg(long, value_name = "FILE.npy", conflicts_with = "images")]
    pixels: Option<PathBuf>,

    #[command(flatten)]
    model: ModelArguments,

    #[command(flatten)]
    methods: MethodArguments,

    /// What to explain: `predicted`, a class by name or number, or A:B for what speaks for A against B
    #[arg(long, value_name = "predicted|CLASS|A:B", default_value = "predicted")]
    target: String,

    #[command(flatten)]
    style: StyleArguments,

    /// Folder for the results; made if it does not exist
    #[arg(long, value_name = "DIR", default_value = "maps")]
    out: PathBuf,

    /// Print explanation.json on standard output as well
    #[arg(long)]
    json: bool,
}

/// A picture with its answers, ready to be written.
struct Answered {
    stem: String,
    picture: RgbImage,
    reading: Reading,
    facts: ImageFacts,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    arguments.style.style(String::new())?;
    let mut methods = arguments.methods.methods()?;
    let vit = arguments.model.load()?;
    arguments.methods.give_baseline(&vit, &mut methods)?;
    refuse_without_head(&vit, &methods)?;
    let target = Target::parse(&arguments.target, vit.labels())?;
    let question = Question { target, methods: methods.iter().map(|(_, method)| method.clone()).collect() };
    let mut explanation = Explanation {
        software: format!("pellucid {}", env!("CARGO_PKG_VERSION")),
        notice: "Research use only. Maps show what the model relies on; they are no diagnosis.",
        model: ModelFacts::of(&vit),
        images: Vec::new(),
        refused: Vec::new(),
    };
    match &arguments.pixels {
        Some(file) => explain_pixels(arguments, &vit, file, &question, &methods, &mut explanation)?,
        None => explain_pictures(arguments, &vit, &question, &methods, &mut explanation)?,
    }
    finish(arguments, &explanation)
}

/// A model without classes still answers class-agnostic methods; for the others the method is named.
fn refuse_without_head(vit: &Vit, methods: &[(String, Method)]) -> anyhow::Result<()> {
    let specific = methods.iter().find(|(_, method)| method.is_class_specific());
    match specific.filter(|_| vit.head() == HeadKind::None) {
        Some((name, _)) => bail!(
            "method {name} needs class scores, but this model has no head; ask for attention or rollout, or load a checkpoint with a classifier"
        ),
        None => Ok(()),
    }
}

fn explain_pictures(
    arguments: &Arguments,
    vit: &Vit,
    question: &Question,
    methods: &[(String, Method)],
    explanation: &mut Explanation,
) -> anyhow::Result<()> {
    let bar = PassBar::new("explaining", arguments.images.len(), question);
    let (mut stems, mut seen) = (HashSet::new(), HashMap::new());
    for file in &arguments.images {
        match picture_file::open(file) {
            Ok(opened) => {
                let mut answered = answer(vit, file, opened, question, &bar)?;
                answered.stem = unique(answered.stem, &mut stems);
                if let Some(earlier) = seen.insert(answered.facts.sha256.clone(), answered.facts.file.clone()) {
                    answered.facts.notes.push(format!("the same bytes as {}", visible(&earlier)));
                }
                explanation.images.push(write(arguments, methods, answered)?);
            }
            Err(refused) => explanation.refused.push(refused),
        }
        bar.next_picture();
    }
    Ok(())
}

fn answer(vit: &Vit, file: &Path, (decoded, sha256): (Decoded, String), question: &Question, bar: &PassBar) -> anyhow::Result<Answered> {
    let reading = pipeline::read_watched(vit, &decoded.image, question, &mut |progress| bar.show(progress))?;
    let size = (decoded.image.height(), decoded.image.width());
    let target = question.target.describe(vit.labels());
    let mut facts = ImageFacts::of(file.display().to_string(), sha256, size, target, &reading);
    facts.notes = decoded.notes.iter().map(ToString::to_string).collect();
    Ok(Answered { stem: stem(file), picture: decoded.image, reading, facts })
}

fn explain_pixels(
    arguments: &Arguments,
    vit: &Vit,
    file: &Path,
    question: &Question,
    methods: &[(String, Method)],
    explanation: &mut Explanation,
) -> anyhow::Result<()> {
    let batch = read_pixels(file)?;
    let (height, width) = batch.size();
    let window = Window::whole(height as u32, width as u32);
    let sha256 = xai::sha256(&std::fs::read(file)?);
    let readings = pipeline::read_prepared(vit, &batch, window, question)?;
    for (index, reading) in readings.into_iter().enumerate() {
        let picture = vit.preprocessor().picture_of(&batch, index);
        let target = question.target.describe(vit.labels());
        let name = format!("{}[{index}]", file.display());
        let facts = ImageFacts::of(name, sha256.clone(), (height as u32, width as u32), target, &reading);
        let answered = Answered { stem: format!("{}.{index}", stem(file)), picture, reading, facts };
        explanation.images.push(write(arguments, methods, answered)?);
    }
    Ok(())
}

/// (B, 3, H, W) from a file that may lack the first dimension; the file's own length bounds what is taken.
pub(super) fn read_pixels(file: &Path) -> anyhow::Result<Batch> {
    let bytes = std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let pixels = ArrayViewD::<f32>::view_npy(&bytes).with_context(|| format!("{} is no float32 .npy file", file.display()))?;
    let pixels = if pixels.ndim() == 3 { pixels.insert_axis(ndarray::Axis(0)) } else { pixels };
    let shape = pixels.shape().to_vec();
    let pixels = pixels.into_dimensionality::<Ix4>();
    let pixels = pixels.with_context(|| format!("{} has shape {shape:?}; (B, 3, H, W) or (3, H, W) is read", file.display()))?;
    Ok(Batch::new(pixels.to_owned())?)
}

fn write(arguments: &Arguments, methods: &[(String, Method)], answered: Answered) -> anyhow::Result<ImageFacts> {
    let Answered { stem, picture, reading, mut facts } = answered;
    let files = MapFiles { folder: &arguments.out, stem: &stem, style: &arguments.style };
    facts.maps = files.write(&picture, &reading, methods, &facts.target)?;
    Ok(facts)
}

fn finish(arguments: &Arguments, explanation: &Explanation) -> anyhow::Result<()> {
    for refused in &explanation.refused {
        eprintln!("refused {refused}");
    }
    for image in &explanation.images {
        image.notes.iter().for_each(|note| eprintln!("note {}: {note}", visible(&image.file)));
    }
    if explanation.images.is_empty() {
        bail!("no picture could be explained; nothing was written");
    }
    let json = visible_json(&serde_json::to_string_pretty(explanation)?);
    std::fs::write(arguments.out.join("explanation.json"), format!("{json}\n")).context("explanation.json cannot be written")?;
    if arguments.json {
        println!("{json}");
    } else {
        summary(arguments, explanation);
    }
    ensure!(explanation.refused.is_empty(), "{} of {} pictures were refused", explanation.refused.len(), arguments.images.len());
    Ok(())
}

fn summary(arguments: &Arguments, explanation: &Explanation) {
    for image in &explanation.images {
        println!("{} · target {}", visible(&image.file), image.target);
        for map in &image.maps {
            let note = if map.no_localised_evidence { " (no localised evidence)" } else { "" };
            println!(
                "  {:<28} {:.3e} to {:.3e}{note}  {}",
                map.method,
                map.range.0,
                map.range.1,
                arguments.out.join(&map.overlay).display()
            );
            if let Some(gap) = &map.completeness_gap {
                println!("    completeness: {gap}");
            }
        }
    }
}
