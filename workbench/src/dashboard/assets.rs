//! Style sheets and scripts, compiled into the program; their addresses carry a hash, so browsers may keep them for good.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use reports::figures::{FIGURES_CSS, FIGURES_JS, plotly_js};

use super::problem::Problem;

struct Asset {
    name: &'static str,
    kind: &'static str,
    text: &'static str,
    hash: String,
}

const JS: &str = "text/javascript; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    let asset = |(name, kind, text): (_, _, &'static str)| Asset { name, kind, text, hash: xai::sha256(text.as_bytes())[..12].to_owned() };
    let all = [
        ("style.css", CSS, include_str!("../../assets/style.css")),
        ("reading.css", CSS, include_str!("../../assets/reading.css")),
        ("reading.js", JS, include_str!("../../assets/reading.js")),
        ("icon.svg", "image/svg+xml", include_str!("../../assets/icon.svg")),
        ("figures.css", CSS, FIGURES_CSS),
        ("figures.js", JS, FIGURES_JS),
        ("plotly.js", JS, plotly_js()),
    ];
    all.into_iter().map(asset).collect()
});

/// The address of an asset, with its hash.
pub fn address(name: &str) -> String {
    let hash = ASSETS.iter().find(|asset| asset.name == name).map_or("", |asset| &asset.hash);
    format!("/assets/{name}?v={hash}")
}

/// `GET /assets/{name}`.
pub async fn serve(Path(name): Path<String>, headers: HeaderMap) -> Result<Response, Problem> {
    let asset = ASSETS.iter().find(|asset| asset.name == name).ok_or(Problem::NoSuchPage)?;
    let tag = format!("\"{}\"", asset.hash);
    let known = headers.get(IF_NONE_MATCH).is_some_and(|value| value.as_bytes() == tag.as_bytes());
    let cached = [(CACHE_CONTROL, "public, max-age=31536000, immutable".to_owned()), (ETAG, tag)];
    Ok(if known {
        (StatusCode::NOT_MODIFIED, cached).into_response()
    } else {
        (cached, [(CONTENT_TYPE, asset.kind)], asset.text).into_response()
    })
}
