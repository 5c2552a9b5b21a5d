//! What stands around every route: headers, limits, and an answer even to a panic.

use std::any::Any;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::header::{self, HeaderName};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::csrf::CsrfLayer;

use super::hosts::{self, Hosts};
use super::problem::{self, Problem};

/// Bytes of a request body that are read: a picture of 20 MiB and the form around it.
pub const BODY_LIMIT: usize = (20 << 20) + (64 << 10);

/// No source but this server; no inline script or style.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; \
                      form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

const HEADERS: [(HeaderName, &str); 5] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Puts the layers around the routes; the last one added is the first one met.
pub fn around(routes: Router, patience: Duration, hosts: Hosts) -> Router {
    routes
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(from_fn(refuse_encoded_bodies))
        .layer(CsrfLayer::new())
        .layer(CatchPanicLayer::custom(|_: Box<dyn Any + Send>| Problem::Internal.into_response()))
        .layer(from_fn(move |request: Request, next: Next| give_up_after(patience, request, next)))
        .layer(from_fn(move |request: Request, next: Next| hosts::refuse_others(hosts, request, next)))
        .layer(from_fn(problem::tell))
        .layer(CompressionLayer::new())
        .layer(from_fn(add_headers))
}

async fn add_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers: &mut HeaderMap = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // Pages and pictures may show a patient: they are not left in caches. Assets bring their own rule.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// A small compressed body can be an endless one: none is unpacked here.
async fn refuse_encoded_bodies(request: Request, next: Next) -> Response {
    let encoding = request.headers().get(header::CONTENT_ENCODING);
    if encoding.is_some_and(|encoding| encoding != "identity") {
        return Problem::EncodedBody.into_response();
    }
    next.run(request).await
}

async fn give_up_after(patience: Duration, request: Request, next: Next) -> Response {
    tokio::time::timeout(patience, next.run(request)).await.unwrap_or_else(|_| Problem::Timeout.into_response())
}
