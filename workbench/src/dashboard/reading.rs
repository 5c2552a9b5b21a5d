//! A lesion's answer: bars, uncertainty, one map with its scale, its evidence and its recipe.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State as Shared};
use datasets::LesionClass;
use serde::Serialize;
use xai::{CompletenessGap, Method, Recipe, Target, Vit};

use super::State;
use super::controls::Controls;
use super::evidence::Evidence;
use super::lesion::Lesion;
use super::model_card::ModelCard;
use super::problem::Problem;
use super::readings::Made;
use super::scale::{Scale, figure};
use super::uncertainty::Uncertainty;
use crate::pipeline::{self, Map, Question, Reading};

/// Everything a page or a client is told about a lesion.
#[derive(Debug, Serialize)]
pub struct Answer {
    /// The lesion's id.
    pub lesion: String,
    /// What answers.
    pub model: ModelCard,
    /// One bar a class, in the order of the model; empty without a head.
    pub bars: Vec<Bar>,
    /// Sum over the malignant classes; nothing where a class is none of the seven.
    pub malignant: Option<f32>,
    /// How sure the model says it is.
    pub uncertainty: Option<Uncertainty>,
    /// The map.
    pub map: MapCard,
    /// What the map is worth, where the lesion's place is known.
    pub evidence: Option<Evidence>,
    /// What completeness misses, for methods that promise it.
    pub completeness_gap: Option<CompletenessGap>,
    /// How the map was made.
    pub recipe: Recipe,
    /// SHA-256 of the recipe.
    pub recipe_sha256: String,
    /// How long it took.
    pub milliseconds: Milliseconds,
    /// Address of the picture with the map.
    pub overlay: String,
}

/// A class with its probability.
#[derive(Debug, Serialize)]
pub struct Bar {
    /// The class.
    pub class: String,
    /// From 0 to 1.
    pub probability: f32,
    /// Whether it belongs to the malignant group.
    pub malignant: bool,
    /// Whether it is the highest.
    pub highest: bool,
}

/// A map in words and numbers.
#[derive(Debug, Serialize)]
pub struct MapCard {
    /// The method's name.
    pub method: &'static str,
    /// The method in a sentence.
    pub about: &'static str,
    /// What it costs.
    pub cost: String,
    /// What is explained, in words.
    pub target: String,
    /// Smallest and largest value.
    pub range: (f32, f32),
    /// The same for people.
    pub range_words: (String, String),
    /// Normalised entropy.
    pub entropy: f32,
    /// "No localised evidence".
    pub flat: bool,
    /// Its colour bar.
    pub scale: Scale,
}

/// Wall-clock times; those of the pass are from when it ran.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Milliseconds {
    /// Forward pass.
    pub trace: f64,
    /// This map, from the kept pass.
    pub explain: f64,
}

/// `GET /lesions/{id}/reading.json`.
pub async fn as_json(
    Shared(state): Shared<State>,
    Path(id): Path<String>,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<Json<Answer>, Problem> {
    let lesion = state.lesion(&id)?;
    let controls = Controls::parse(&query, state.model())?;
    answer(&state, lesion, controls).await.map(Json)
}

/// The answer, from the queue.
pub async fn answer(state: &State, lesion: Arc<Lesion>, controls: Controls) -> Result<Answer, Problem> {
    let shared = state.clone();
    state.queue().run(move || Answer::of(&shared, &lesion, &controls)).await?
}

/// The reading of a lesion and the map asked for, both through the pipeline.
pub fn read(state: &State, lesion: &Lesion, controls: &Controls) -> Result<(Arc<Reading>, Arc<Made>), Problem> {
    let vit = state.model();
    let trace_all = || pipeline::read_prepared(vit, &lesion.batch, lesion.window, &first_question(vit)?).map_err(Problem::from);
    let one = || Ok::<_, Problem>(trace_all()?.remove(0));
    let asked = controls.class.map_or(Target::Predicted, |class| match controls.against {
        Some(against) => Target::Contrast { class, against },
        None => Target::Class(class),
    });
    let reading = state.readings().of(&lesion.id, asked, one)?;
    let (target, method) = (controls.target(&reading.logits)?, controls.method()?);
    let make = || pipeline::map(&reading.trace, target, &method).map_err(Problem::from);
    let made = state.readings().map(&lesion.id, target, &method, make)?;
    Ok((reading, made))
}

/// A question whose trace serves every method that the model can answer.
fn first_question(vit: &Vit) -> Result<Question, Problem> {
    let method = Method::by_name(if vit.labels().is_empty() { "attention" } else { "relevance" })?;
    Ok(Question { target: Target::Predicted, methods: vec![method] })
}

impl Answer {
    fn of(state: &State, lesion: &Lesion, controls: &Controls) -> Result<Self, Problem> {
        let (reading, made) = read(state, lesion, controls)?;
        let Made { map, took } = made.as_ref();
        let bars = bars(state.model(), &reading.probabilities);
        // Where a crop left nothing of the lesion there is nothing to weigh.
        let evidence = lesion.mask().and_then(|mask| Evidence::of(&map.heat_map, mask).ok());
        let milliseconds = Milliseconds { trace: 1e3 * reading.timings.trace.as_secs_f64(), explain: 1e3 * took.as_secs_f64() };
        Ok(Self {
            lesion: lesion.id.clone(),
            model: state.card().clone(),
            malignant: malignant(&bars),
            bars,
            uncertainty: Uncertainty::of(&reading.probabilities),
            evidence,
            recipe_sha256: map.attribution.recipe.hash(),
            recipe: map.attribution.recipe.clone(),
            map: MapCard::of(state.model(), map, lesion, controls)?,
            completeness_gap: map.attribution.completeness_gap,
            milliseconds,
            overlay: format!("/lesions/{}/overlay.png?{}", lesion.id, controls.query()),
        })
    }

    /// The recipe as it is written into files.
    pub fn recipe_text(&self) -> String {
        serde_json::to_string_pretty(&self.recipe).unwrap_or_default()
    }
}

impl MapCard {
    fn of(vit: &Vit, map: &Map, lesion: &Lesion, controls: &Controls) -> Result<Self, Problem> {
        let heat_map = &map.heat_map;
        let about = Method::named().into_iter().find(|(name, ..)| *name == controls.method).map_or("", |(_, _, about)| about);
        let target = map.attribution.recipe.target.map_or_else(|| "every class alike".into(), |target| target.describe(vit.labels()));
        let range = heat_map.range();
        Ok(Self {
            method: controls.method,
            about,
            cost: map.attribution.recipe.method.cost(),
            target,
            range,
            range_words: (figure(range.0), figure(range.1)),
            entropy: heat_map.entropy(),
            flat: heat_map.is_flat(),
            scale: Scale::of(heat_map, &lesion.window, controls),
        })
    }
}

fn bars(vit: &Vit, probabilities: &[f32]) -> Vec<Bar> {
    let highest = (1..probabilities.len()).fold(0, |best, class| if probabilities[class] > probabilities[best] { class } else { best });
    let known = |name: &str| name.parse::<LesionClass>().ok();
    let bar = |(class, &probability): (usize, &f32)| {
        let name = vit.labels().name(class);
        let malignant = known(&name).is_some_and(LesionClass::is_malignant);
        Bar { class: name, probability, malignant, highest: class == highest }
    };
    probabilities.iter().enumerate().map(bar).collect()
}

/// Only classes of the thesis say which of them are malignant.
fn malignant(bars: &[Bar]) -> Option<f32> {
    let all_known = !bars.is_empty() && bars.iter().all(|bar| bar.class.parse::<LesionClass>().is_ok());
    all_known.then(|| bars.iter().filter(|bar| bar.malignant).map(|bar| bar.probability).sum())
}
