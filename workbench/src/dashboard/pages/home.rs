//! The worklist with the form for uploads.

use askama::Template;
use axum::extract::State as Shared;
use axum::response::Html;

use super::render;
use crate::dashboard::State;
use crate::dashboard::lesion::{Lesion, Origin};
use crate::dashboard::model_card::ModelCard;
use crate::dashboard::problem::Problem;

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage<'a> {
    model: &'a ModelCard,
    tiles: Vec<Tile<'a>>,
    tested: bool,
    kept: usize,
    uploaded: usize,
}

struct Tile<'a> {
    id: &'a str,
    drawn_as: String,
    patient: String,
}

/// `GET /`.
pub async fn home(Shared(state): Shared<State>) -> Result<Html<String>, Problem> {
    render(&HomePage {
        model: state.card(),
        tiles: state.lesions().drawn().iter().map(|lesion| tile(lesion)).collect(),
        tested: state.record().is_some(),
        kept: state.workload().kept,
        uploaded: state.lesions().uploaded(),
    })
}

fn tile(lesion: &Lesion) -> Tile<'_> {
    let (drawn_as, patient) = match &lesion.origin {
        Origin::Drawn { record, .. } => (record.diagnosis.clone().unwrap_or_default(), super::reading_room::patient(record)),
        Origin::Uploaded { name, .. } => (name.clone(), String::new()),
    };
    Tile { id: &lesion.id, drawn_as, patient }
}
