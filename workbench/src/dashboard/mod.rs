//! The dashboard: server-rendered pages and a small API over one shared model.
//!
//! Reading order: `settings` (what it needs), `state` (what requests share), this file (the table of contents of the
//! routes), `reading` (one lesion's answer), `controls` (what may be asked), `queue` (how much runs at once), `upload`,
//! `problem` (every refusal with its stable code), `protection` (headers and limits around all of it), `hosts` (who may be called).
//!
//! | route | answers |
//! |---|---|
//! | `GET /` | worklist and upload form |
//! | `POST /lesions` | takes a picture: 303 to its page, or JSON |
//! | `GET /lesions/{id}` | the reading room |
//! | `GET /lesions/{id}/reading.json`, `overlay.png`, `original.png`, `thumbnail.jpg` | its parts |
//! | `GET /monitoring` | class balance and the model's test record |
//! | `GET /assets/{name}` | style sheets and scripts |
//!
//! Pages work without scripts: controls are the query of the address. Nothing is asked of any other host, and uploads live in memory only.

mod assets;
mod controls;
mod cost;
mod evidence;
mod hosts;
mod lesion;
mod lesions;
mod model_card;
mod pages;
mod pictures;
mod problem;
mod protection;
mod queue;
mod reading;
mod readings;
mod scale;
mod serve;
mod settings;
mod state;
mod test_record;
mod uncertainty;
mod upload;

use axum::Router;
use axum::routing::{get, post};

pub use hosts::Hosts;
pub use serve::{Server, serve};
pub use settings::{Settings, Workload};
pub use state::State;
pub use test_record::TestRecord;

/// Stands on every page.
pub const RESEARCH_USE_ONLY: &str = "Research use only: shows what the model relies on, no diagnosis";

/// All routes over a shared state, for requests that call the server by one of its names; tests call it with `oneshot` and no port.
pub fn app(state: State, hosts: Hosts) -> Router {
    let patience = state.workload().patience;
    let routes = Router::new()
        .route("/", get(pages::home))
        .route("/lesions", post(upload::take))
        .route("/lesions/{id}", get(pages::reading_room))
        .route("/lesions/{id}/reading.json", get(reading::as_json))
        .route("/lesions/{id}/overlay.png", get(pictures::overlay))
        .route("/lesions/{id}/original.png", get(pictures::original))
        .route("/lesions/{id}/thumbnail.jpg", get(pictures::thumbnail))
        .route("/monitoring", get(pages::monitoring))
        .route("/assets/{name}", get(assets::serve))
        .fallback(problem::no_such_page)
        .with_state(state);
    protection::around(routes, patience, hosts)
}
