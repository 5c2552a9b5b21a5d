//! What the hub and its store answer.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::header::{AUTHORIZATION, RANGE};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use crate::repository::{ID, is_large, tag};
use crate::server::{Fault, Place, Seen, Shared, lock};

/// What came in, for the record.
struct Asked {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
}

/// `/OWNER/NAME/resolve/REVISION/FILE`: facts, and the way to the contents.
pub async fn resolve(
    State(shared): State<Arc<Shared>>,
    Path((owner, name, revision, file)): Path<(String, String, String, String)>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let response = resolved(&shared, &format!("{owner}/{name}"), &revision, &file);
    record(&shared, Place::Hub, Asked { method, uri, headers }, response)
}

fn resolved(shared: &Shared, id: &str, revision: &str, file: &str) -> Response {
    let refuse = |status: u16, code: &str| (StatusCode::from_u16(status).unwrap(), [("x-error-code", code.to_owned())]).into_response();
    if let Some((status, code)) = shared.fault(|fault| if let Fault::Refuses(status, code) = fault { Some((*status, *code)) } else { None })
    {
        return refuse(status, code);
    }
    if shared.fault(|fault| (*fault == Fault::Circles).then_some(())).is_some() {
        return (StatusCode::FOUND, [("location", format!("/{id}/resolve/{revision}/{file}"))]).into_response();
    }
    let repository = lock(&shared.repository);
    if id != ID {
        return refuse(404, "RepoNotFound");
    }
    if revision != "main" && revision != repository.commit {
        return refuse(404, "RevisionNotFound");
    }
    let commit = ("x-repo-commit", repository.commit.clone());
    let Some(bytes) = repository.files.get(file) else {
        return (StatusCode::NOT_FOUND, [commit, ("x-error-code", "EntryNotFound".into())]).into_response();
    };
    if !is_large(file) {
        let location = format!("/api/resolve-cache/models/{id}/{}/{file}", repository.commit);
        return (StatusCode::TEMPORARY_REDIRECT, [commit, ("location", location)]).into_response();
    }
    let claimed = shared.fault(|fault| if let Fault::Claims(size) = fault { Some(*size) } else { None });
    let linked = [
        commit,
        ("x-linked-size", claimed.unwrap_or(bytes.len() as u64).to_string()),
        ("location", format!("{}/lfs/{file}?signature=only-for-you", shared.store)),
        ("x-linked-etag", format!("\"{}\"", tag(file, bytes))),
    ];
    let nameless = shared.fault(|fault| (*fault == Fault::NamesNoChecksum).then_some(())).is_some();
    let told = if nameless { &linked[..3] } else { &linked[..] };
    let mut response = StatusCode::FOUND.into_response();
    told.iter().for_each(|(name, value)| {
        response.headers_mut().insert(*name, value.parse().unwrap());
    });
    response
}

/// A small file, from the hub itself.
pub async fn small(
    State(shared): State<Arc<Shared>>,
    Path((_, _, _, file)): Path<(String, String, String, String)>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let (commit, bytes) = {
        let repository = lock(&shared.repository);
        (repository.commit.clone(), repository.files[&file].clone())
    };
    let tag = tag(&file, &bytes);
    let response = ([("x-repo-commit", commit), ("etag", format!("W/\"{tag}\""))], flipped(&shared, &file, bytes)).into_response();
    record(&shared, Place::Hub, Asked { method, uri, headers }, response)
}

/// A large file, from the store: whole, or from a byte on.
pub async fn large(State(shared): State<Arc<Shared>>, Path(file): Path<String>, method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let mut bytes = lock(&shared.repository).files[&file].clone();
    if let Some(by) = shared.fault(|fault| if let Fault::Resizes(by) = fault { Some(*by) } else { None }) {
        bytes.resize(bytes.len().saturating_add_signed(by), 7);
    }
    let bytes = flipped(&shared, &file, bytes);
    let from = headers.get(RANGE).and_then(|range| range.to_str().ok()?.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok());
    let from = from.filter(|_| shared.fault(|fault| (*fault == Fault::IgnoresRange).then_some(())).is_none());
    // The store's own tag is not the hub's.
    let tag = ("etag", "\"of-the-store\"".to_owned());
    let response = match from {
        Some(from) if from >= bytes.len() => StatusCode::RANGE_NOT_SATISFIABLE.into_response(),
        Some(from) => {
            let range = format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len());
            (StatusCode::PARTIAL_CONTENT, [tag, ("content-range", range)], cut(&shared, bytes[from..].to_vec())).into_response()
        }
        None => ([tag], cut(&shared, bytes)).into_response(),
    };
    record(&shared, Place::Store, Asked { method, uri, headers }, response)
}

fn flipped(shared: &Shared, file: &str, mut bytes: Vec<u8>) -> Vec<u8> {
    if shared.fault(|fault| (matches!(fault, Fault::Flips(name) if *name == file)).then_some(())).is_some() {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
    }
    bytes
}

/// The body, or its beginning and then the end of the connection; the length is told in full.
fn cut(shared: &Shared, bytes: Vec<u8>) -> Response {
    let length = bytes.len();
    match shared.cut() {
        Some(after) if after < length => {
            let moment = Box::pin(tokio::time::sleep(Duration::from_millis(30)));
            let body = Body::from_stream(Torn { first: Some(Bytes::from(bytes).slice(..after)), moment });
            ([("content-length", length.to_string())], body).into_response()
        }
        _ => bytes.into_response(),
    }
}

/// A piece, a moment in which it is sent, and an error.
struct Torn {
    first: Option<Bytes>,
    moment: Pin<Box<tokio::time::Sleep>>,
}

impl futures_core::Stream for Torn {
    type Item = Result<Bytes, std::io::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context) -> Poll<Option<Self::Item>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(first)));
        }
        self.moment.as_mut().poll(context).map(|()| Some(Err(std::io::Error::other("torn"))))
    }
}

fn record(shared: &Shared, at: Place, asked: Asked, response: Response) -> Response {
    let header = |name| asked.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    lock(&shared.seen).push(Seen {
        method: asked.method.to_string(),
        path: asked.uri.path().to_owned(),
        at,
        range: header(RANGE),
        authorization: header(AUTHORIZATION),
        status: response.status().as_u16(),
    });
    response
}
