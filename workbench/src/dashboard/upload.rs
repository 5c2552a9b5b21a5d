//! `POST /lesions`: a picture comes in, or is refused with a stable code and leaves nothing behind.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{FromRequest, Multipart, Request, State as Shared};
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::State;
use super::lesion::Lesion;
use super::problem::{Problem, Wanted};
use crate::names::is_hidden;
use crate::pipeline;

/// The one field of the form.
const FIELD: &str = "picture";

/// Longest file name that is shown, in characters.
const LONGEST_NAME: usize = 80;

/// Takes one picture and answers with the way to its page.
pub async fn take(Shared(state): Shared<State>, request: Request) -> Result<Response, Problem> {
    let wanted = Wanted::of(request.headers());
    // Bodies are held in memory: only so many are received at once.
    let receiving = state.receiving().clone().try_acquire_owned().map_err(|_| Problem::Busy)?;
    let (name, bytes) = receive(request).await?;
    let shared = state.clone();
    let work = move || {
        let _held = receiving;
        let decoded = pipeline::picture(&bytes)?;
        Ok::<_, Problem>(Arc::new(Lesion::uploaded(&bytes, decoded, name, shared.model().preprocessor())?))
    };
    let lesion = state.queue().run(work).await??;
    let page = format!("/lesions/{}", lesion.id);
    let (id, notes) = (lesion.id.clone(), lesion.notes());
    state.lesions().keep(lesion);
    Ok(match wanted {
        Wanted::Page => (StatusCode::SEE_OTHER, [(LOCATION, page)]).into_response(),
        Wanted::Json => {
            let body = serde_json::json!({ "id": id, "page": page, "reading": format!("{page}/reading.json"), "notes": notes });
            (StatusCode::CREATED, [(LOCATION, page)], Json(body)).into_response()
        }
    })
}

/// The file's shown name and its bytes.
async fn receive(request: Request) -> Result<(String, Bytes), Problem> {
    if !is_form(request.headers()) {
        return Err(Problem::NotAForm);
    }
    let form = Multipart::from_request(request, &()).await;
    let mut form = form.map_err(|_| Problem::Form("its content type names no boundary"))?;
    let field = form.next_field().await.map_err(broken)?.ok_or(Problem::Form("it has no field"))?;
    if field.name() != Some(FIELD) {
        return Err(Problem::Form("its first field is not `picture`"));
    }
    let name = shown_name(&field);
    let bytes = field.bytes().await.map_err(broken)?;
    match form.next_field().await.map_err(broken)? {
        Some(_) => Err(Problem::Form("it has more than the one field")),
        None => Ok((name, bytes)),
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.trim_start().to_ascii_lowercase().starts_with("multipart/form-data")
}

fn broken(error: MultipartError) -> Problem {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        Problem::BodyTooLarge
    } else {
        Problem::Form("it ends early or its parts are malformed")
    }
}

/// A file name to be looked at: no path, no control characters, no marks that turn the direction of writing, not long.
fn shown_name(field: &Field<'_>) -> String {
    tidy_name(field.file_name().unwrap_or_default())
}

fn tidy_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let kept = last.chars().filter(|c| !is_hidden(*c));
    let name: String = kept.take(LONGEST_NAME).collect();
    if name.trim().is_empty() { "unnamed picture".into() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_for_looking_at_only() {
        assert_eq!(tidy_name("../../etc/passwd"), "passwd");
        assert_eq!(tidy_name(r"C:\pictures\CON"), "CON");
        assert_eq!(tidy_name("a\0b\nc\u{202E}gpj.exe"), "abcgpj.exe");
        assert_eq!(tidy_name("\u{200B}/ "), "unnamed picture");
        assert_eq!(tidy_name(&"é".repeat(300)).chars().count(), LONGEST_NAME);
        assert_eq!(tidy_name("näevus 🔬.jpg"), "näevus 🔬.jpg");
    }
}
