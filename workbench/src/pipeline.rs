//! The way of one image, from its bytes to its maps: command line, dashboard and experiments all go this way.
//!
//! ```text
//! bytes ─ decode ─▶ RgbImage ─ prepare ─▶ Batch ─ trace ─▶ Trace ─ explain ─▶ Attribution ─▶ HeatMap ─ overlay ─▶ RgbImage
//! ```

use std::time::{Duration, Instant};

use datasets::{Decoded, Limits, decode};
use image::RgbImage;
use xai::{Attribution, Batch, HeatMap, Method, OverlayStyle, Probe, Progress, Target, Trace, Vit, Window};

use crate::Error;

/// What is asked about a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// The score to explain.
    pub target: Target,
    /// The methods to explain it by.
    pub methods: Vec<Method>,
}

impl Question {
    /// Passes that the methods make of their own for one picture at most.
    pub fn most_passes(&self) -> usize {
        self.methods.iter().map(Method::most_passes).sum()
    }
}

/// What a model says about one picture.
#[derive(Debug)]
pub struct Reading {
    /// The recorded pass; further maps can be read from it.
    pub trace: Trace,
    /// Class scores before the softmax; empty without a head.
    pub logits: Vec<f32>,
    /// Softmax of the logits; empty without a head.
    pub probabilities: Vec<f32>,
    /// The part of the picture that the model saw.
    pub window: Window,
    /// One map a method, in the order of the question.
    pub maps: Vec<Map>,
    /// How long each step took.
    pub timings: Timings,
}

/// One method's answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Map {
    /// Relevance with its recipe, in the method's own resolution.
    pub attribution: Attribution,
    /// The same on the patch grid, ready to be shown.
    pub heat_map: HeatMap,
}

/// Wall-clock time of the steps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Timings {
    /// Resize, crop, normalise.
    pub prepare: Duration,
    /// Forward pass.
    pub trace: Duration,
    /// Backward passes and read-outs, all methods.
    pub explain: Duration,
}

/// Bytes to a picture, within limits.
///
/// # Errors
/// [`Error::Picture`] with the refusal's stable code.
pub fn picture(bytes: &[u8]) -> Result<Decoded, Error> {
    Ok(decode(bytes, &Limits::default())?)
}

/// The whole way from a picture to its maps.
///
/// ```
/// use workbench::pipeline::{read, Question};
/// use xai::{HeadKind, Method, Target, Vit, VitConfig};
/// let vit = Vit::random(VitConfig::tiny_for_tests(), HeadKind::Linear(7), 1)?;
/// let lesion = datasets::synthetic::draw(datasets::LesionClass::Melanoma, 5, 96);
/// let question = Question { target: Target::Predicted, methods: vec![Method::by_name("relevance")?] };
/// let reading = read(&vit, &lesion.image, &question)?;
/// assert_eq!((reading.probabilities.len(), reading.maps[0].heat_map.values().dim()), (7, (2, 3)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Error::Explain`] where the picture cannot be prepared, or the question does not fit the model.
pub fn read(vit: &Vit, picture: &RgbImage, question: &Question) -> Result<Reading, Error> {
    read_watched(vit, picture, question, &mut |_| {})
}

/// The same, telling `watch` how many passes the methods have made of those they make at most.
///
/// # Errors
/// As for [`read`].
pub fn read_watched(vit: &Vit, picture: &RgbImage, question: &Question, watch: &mut dyn FnMut(Progress)) -> Result<Reading, Error> {
    let started = Instant::now();
    let batch = vit.preprocessor().prepare(picture)?;
    let window = vit.preprocessor().field_of_view(picture.height(), picture.width());
    let prepare = started.elapsed();
    let mut reading = read_one(vit, &batch, window, question, watch)?;
    reading.timings.prepare = prepare;
    Ok(reading)
}

/// The same from prepared pixels, one reading for the whole batch's first image on.
///
/// # Errors
/// As for [`read`].
pub fn read_prepared(vit: &Vit, batch: &Batch, window: Window, question: &Question) -> Result<Vec<Reading>, Error> {
    let single = |image: usize| Batch::new(batch.pixels().slice_move(ndarray::s![image..image + 1, .., .., ..]).to_owned());
    (0..batch.len()).map(|image| read_one(vit, &single(image)?, window, question, &mut |_| {})).collect()
}

fn read_one(vit: &Vit, batch: &Batch, window: Window, question: &Question, watch: &mut dyn FnMut(Progress)) -> Result<Reading, Error> {
    let started = Instant::now();
    let probe = question.methods.iter().fold(Probe::Logits, |probe, method| probe.with(method.probe()));
    let trace = vit.trace(batch, probe)?;
    let traced = started.elapsed();
    let (mut maps, mut before, most) = (Vec::new(), 0, question.most_passes());
    for method in &question.methods {
        maps.push(map_watched(&trace, question.target, method, &mut |now| watch(Progress { passes: before + now.passes, most }))?);
        before += method.most_passes();
    }
    let timings = Timings { prepare: Duration::ZERO, trace: traced, explain: started.elapsed() - traced };
    let (logits, probabilities) = (trace.logits().iter().copied().collect(), trace.probabilities().iter().copied().collect());
    Ok(Reading { trace, logits, probabilities, window, maps, timings })
}

/// One more map from a trace that is there.
///
/// # Errors
/// [`Error::Explain`] where the trace kept too little or the question does not fit the model.
pub fn map(trace: &Trace, target: Target, method: &Method) -> Result<Map, Error> {
    map_watched(trace, target, method, &mut |_| {})
}

fn map_watched(trace: &Trace, target: Target, method: &Method, watch: &mut dyn FnMut(Progress)) -> Result<Map, Error> {
    let attribution = xai::explain_watched(trace, target, method, watch)?.remove(0);
    let heat_map = HeatMap::new(attribution.on_grid())?;
    Ok(Map { attribution, heat_map })
}

/// The map over the picture it explains.
pub fn overlay(picture: &RgbImage, reading: &Reading, map: &Map, style: &OverlayStyle) -> RgbImage {
    xai::overlay(picture, &map.heat_map, &reading.window, style)
}
