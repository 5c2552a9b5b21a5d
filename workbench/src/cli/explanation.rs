//! `explanation.json`: everything that was found, and everything needed to find it again.

use std::fmt;

use serde::Serialize;
use xai::{CompletenessGap, HeadKind, Recipe, Vit, Window};

use crate::names::visible;
use crate::pipeline::{Reading, Timings};

/// The whole file.
#[derive(Debug, Serialize)]
pub struct Explanation {
    /// What wrote it.
    pub software: String,
    /// What it is not.
    pub notice: &'static str,
    /// The model.
    pub model: ModelFacts,
    /// One entry a picture.
    pub images: Vec<ImageFacts>,
    /// Pictures that were refused.
    pub refused: Vec<Refused>,
}

/// The model that answered.
#[derive(Debug, Serialize)]
pub struct ModelFacts {
    source: String,
    sha256: String,
    parameters: usize,
    classes: Vec<String>,
    notes: Vec<String>,
}

/// One picture's answers.
#[derive(Debug, Serialize)]
pub struct ImageFacts {
    /// Where the picture was.
    pub file: String,
    /// Of its bytes.
    pub sha256: String,
    /// Height and width in pixels, upright.
    pub size: (u32, u32),
    /// What decoding changed.
    pub notes: Vec<String>,
    field_of_view: [f32; 4],
    logits: Vec<f32>,
    probabilities: Vec<f32>,
    predicted: Option<String>,
    /// The target in words.
    pub target: String,
    /// One entry a method.
    pub maps: Vec<MapFacts>,
    milliseconds: Milliseconds,
}

/// One map.
#[derive(Debug, Serialize)]
pub struct MapFacts {
    /// The method's name.
    pub method: String,
    /// How it was made.
    pub recipe: Recipe,
    /// SHA-256 of the recipe.
    pub recipe_hash: String,
    /// Lowest and highest value on the patch grid, in the method's own scale.
    pub range: (f32, f32),
    /// True where the map shows no localised evidence.
    pub no_localised_evidence: bool,
    /// What completeness misses, for methods that promise it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completeness_gap: Option<CompletenessGap>,
    /// File of the overlay.
    pub overlay: String,
    /// File of the values on the patch grid, float32.
    pub grid: String,
    /// File of the values on the model's input pixels, float32.
    pub full: String,
}

/// A picture that was not read.
#[derive(Debug, Serialize)]
pub struct Refused {
    /// Where it was.
    pub file: String,
    /// Stable reason code.
    pub code: String,
    /// The reason in words.
    pub message: String,
}

#[derive(Debug, Serialize)]
struct Milliseconds {
    prepare: f64,
    trace: f64,
    explain: f64,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} [{}]: {}", visible(&self.file), self.code, visible(&self.message))
    }
}

impl ModelFacts {
    /// Facts of a model.
    pub fn of(vit: &Vit) -> Self {
        let source = vit.source();
        Self {
            source: source.name.clone(),
            sha256: source.sha256.clone(),
            parameters: vit.parameters(),
            classes: vit.labels().names().to_vec(),
            notes: source.notes.clone(),
        }
    }
}

impl ImageFacts {
    /// Facts of a reading; maps are added as they are written.
    pub fn of(file: String, sha256: String, size: (u32, u32), target: String, reading: &Reading) -> Self {
        let vit = reading.trace.vit();
        let predicted = (0..reading.logits.len()).max_by(|&a, &b| reading.logits[a].total_cmp(&reading.logits[b]));
        let Window { top, left, height, width } = reading.window;
        Self {
            file,
            sha256,
            size,
            notes: Vec::new(),
            field_of_view: [top, left, height, width],
            logits: reading.logits.clone(),
            probabilities: reading.probabilities.clone(),
            predicted: predicted.filter(|_| vit.head() != HeadKind::None).map(|class| vit.labels().name(class)),
            target,
            maps: Vec::new(),
            milliseconds: Milliseconds::of(reading.timings),
        }
    }
}

impl Milliseconds {
    fn of(timings: Timings) -> Self {
        let [prepare, trace, explain] = [timings.prepare, timings.trace, timings.explain].map(|time| time.as_secs_f64() * 1e3);
        Self { prepare, trace, explain }
    }
}
