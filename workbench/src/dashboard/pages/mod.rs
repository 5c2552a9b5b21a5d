//! The pages, rendered on the server from `workbench/templates`.

mod choices;
mod home;
mod monitoring;
mod problem;
mod reading_room;
mod rows;

use askama::Template;
use axum::response::Html;

use super::problem::Problem;

pub use home::home;
pub use monitoring::monitoring;
pub use problem::problem;
pub use reading_room::reading_room;

fn render(page: &impl Template) -> Result<Html<String>, Problem> {
    page.render().map(Html).map_err(|_| Problem::Internal)
}

/// A share in percent with one decimal.
fn percent(share: f64) -> String {
    format!("{:.1}", 100.0 * share)
}
