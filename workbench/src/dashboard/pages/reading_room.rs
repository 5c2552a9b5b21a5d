//! The reading room: a lesion beside its map, the seven bars, the controls and the evidence.

use askama::Template;
use axum::extract::{Path, Query, State as Shared};
use axum::response::Html;
use datasets::metadata::Record;

use super::choices::Choice;
use super::rows::Row;
use super::{choices, percent, render, rows};
use crate::dashboard::State;
use crate::dashboard::controls::{Controls, THRESHOLDS};
use crate::dashboard::lesion::{Lesion, Origin};
use crate::dashboard::problem::Problem;
use crate::dashboard::reading::{self, Answer};
use crate::dashboard::uncertainty::Uncertainty;

#[derive(Template)]
#[template(path = "reading.html")]
struct ReadingRoom<'a> {
    lesion: &'a Lesion,
    facts: Facts,
    answer: Answer,
    bars: Vec<Row>,
    predicted: String,
    shares: Shares,
    evidence: Vec<Row>,
    controls: &'a Controls,
    methods: Vec<Choice>,
    targets: Vec<Choice>,
    againsts: Vec<Choice>,
    layers: Vec<Choice>,
    heads: Vec<Choice>,
    colormaps: Vec<Choice>,
    previous: Option<String>,
    next: Option<String>,
}

/// What is known about the lesion without a model.
struct Facts {
    heading: String,
    lines: Vec<(&'static str, String)>,
    drawn: bool,
}

/// Shares in percent, as they are written.
struct Shares {
    malignant: Option<String>,
    entropy: String,
    margin: String,
    map_entropy: String,
}

impl Shares {
    fn of(answer: &Answer) -> Self {
        let of_uncertainty = |value: fn(&Uncertainty) -> f64| answer.uncertainty.as_ref().map_or_else(String::new, |u| percent(value(u)));
        Self {
            malignant: answer.malignant.map(|share| percent(share.into())),
            entropy: of_uncertainty(|u| u.entropy),
            margin: of_uncertainty(|u| u.margin),
            map_entropy: percent(answer.map.entropy.into()),
        }
    }
}

/// `GET /lesions/{id}`.
pub async fn reading_room(
    Shared(state): Shared<State>,
    Path(id): Path<String>,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<Html<String>, Problem> {
    let lesion = state.lesion(&id)?;
    let controls = Controls::parse(&query, state.model())?;
    let answer = reading::answer(&state, lesion.clone(), controls.clone()).await?;
    let (previous, next) = neighbours(&state, &lesion.id, &controls);
    let (vit, config) = (state.model(), state.model().config());
    render(&ReadingRoom {
        lesion: &lesion,
        facts: facts(&lesion),
        bars: rows::bars(&answer.bars),
        predicted: answer.bars.iter().position(|bar| bar.highest).map_or_else(String::new, |class| class.to_string()),
        shares: Shares::of(&answer),
        evidence: answer.evidence.as_ref().map(rows::evidence).unwrap_or_default(),
        answer,
        controls: &controls,
        methods: choices::methods(vit, controls.method),
        targets: choices::classes(vit, controls.class),
        againsts: choices::classes(vit, controls.against),
        layers: choices::numbered(config.num_hidden_layers, controls.layer),
        heads: choices::numbered(config.num_attention_heads, controls.head),
        colormaps: choices::colormaps(controls.colormap),
        previous,
        next,
    })
}

/// Addresses of the lesions before and after on the worklist, with the same question.
fn neighbours(state: &State, id: &str, controls: &Controls) -> (Option<String>, Option<String>) {
    let drawn = state.lesions().drawn();
    let Some(at) = drawn.iter().position(|lesion| lesion.id == id) else { return (None, None) };
    let address = |index: usize| drawn.get(index).map(|lesion| format!("/lesions/{}?{}", lesion.id, controls.query()));
    (at.checked_sub(1).and_then(address), address(at + 1))
}

fn facts(lesion: &Lesion) -> Facts {
    match &lesion.origin {
        Origin::Drawn { record, findings, .. } => {
            let names = findings.iter().map(|finding| serde_json::to_value(finding).ok()?.as_str().map(|name| name.replace('-', " ")));
            let names: Vec<String> = names.flatten().collect();
            let lines = vec![
                ("drawn as", record.diagnosis.clone().unwrap_or_default()),
                ("patient", patient(record)),
                ("structures", if names.is_empty() { "none".into() } else { names.join(", ") }),
            ];
            Facts { heading: lesion.id.clone(), lines, drawn: true }
        }
        Origin::Uploaded { name, format, size: (height, width), notes } => {
            let mut lines = vec![("picture", format!("{format}, {width} × {height} pixels"))];
            lines.extend(notes.iter().map(|note| ("note", note.to_string())));
            Facts { heading: name.clone(), lines, drawn: false }
        }
    }
}

/// The invented patient in a few words.
pub(super) fn patient(record: &Record) -> String {
    let age = record.age_approx.map(|age| format!("{age} years"));
    [record.sex.clone(), age, record.anatom_site_general.clone()].into_iter().flatten().collect::<Vec<_>>().join(", ")
}
