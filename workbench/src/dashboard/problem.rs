//! Every refusal: its status, its stable code, and what to do.

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use datasets::Refusal;

use super::pages;

/// Why a request is not answered.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Problem {
    /// 404: the id is unknown, or its upload was pushed out by later ones.
    #[error("there is no lesion with this id; uploads are kept in memory only and the oldest go first: upload the picture again")]
    NoSuchLesion,
    /// 404: no such address.
    #[error("there is no such page; go back to the worklist")]
    NoSuchPage,
    /// 405: the address exists, the method does not.
    #[error("this address does not take this method")]
    MethodNotAllowed,
    /// 400: a control has a value it cannot have.
    #[error("{control}: {problem}")]
    Control {
        /// The control's name in the query.
        control: &'static str,
        /// What is wrong and what can be given.
        problem: String,
    },
    /// 422: the model cannot answer this.
    #[error("{0}")]
    Unexplainable(String),
    /// 400, 413, 415 or 422 by what is wrong with the picture; the code is the refusal's.
    #[error(transparent)]
    Picture(#[from] Refusal),
    /// 400: the form cannot be read as one.
    #[error("the upload is no readable form: {0}; send one field `picture` as multipart/form-data")]
    Form(&'static str),
    /// 415: another content type than a form's.
    #[error("uploads are sent as multipart/form-data with one field `picture`")]
    NotAForm,
    /// 415: a compressed request body.
    #[error("a compressed request body is not taken; send the picture as it is")]
    EncodedBody,
    /// 413: the body is larger than is read.
    #[error("the upload is larger than {} MiB; export the picture smaller", super::protection::BODY_LIMIT >> 20)]
    BodyTooLarge,
    /// 403: a form of another site.
    #[error("the request comes from another site; open the dashboard itself and send it from there")]
    CrossSite,
    /// 421: the server was called by a name that is not its own.
    #[error("this server is called by its own address or localhost only; open the address that it printed when it started")]
    WrongHost,
    /// 408: slower than the patience.
    #[error("the request took too long and was given up; try again")]
    Timeout,
    /// 429: every place in the queue is taken.
    #[error("the model is busy and the queue is full; try again in a few seconds")]
    Busy,
    /// 500: a defect of this program; details stay in its log.
    #[error("something went wrong in the program; nothing was stored")]
    Internal,
}

/// How the client wants a problem told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// A page for people.
    Page,
    /// JSON for programs.
    Json,
}

impl Wanted {
    /// A page for whoever accepts HTML, JSON for all others.
    pub fn of(headers: &HeaderMap) -> Self {
        let accepted = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if accepted.contains("text/html") { Self::Page } else { Self::Json }
    }
}

impl Problem {
    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NoSuchLesion | Self::NoSuchPage => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Control { .. } | Self::Form(_) => StatusCode::BAD_REQUEST,
            Self::Unexplainable(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Picture(refusal) => status_of(refusal),
            Self::NotAForm | Self::EncodedBody => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::CrossSite => StatusCode::FORBIDDEN,
            Self::WrongHost => StatusCode::MISDIRECTED_REQUEST,
            Self::Timeout => StatusCode::REQUEST_TIMEOUT,
            Self::Busy => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// A word that does not change with the text.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoSuchLesion => "no-such-lesion",
            Self::NoSuchPage => "no-such-page",
            Self::MethodNotAllowed => "method-not-allowed",
            Self::Control { .. } => "bad-control",
            Self::Unexplainable(_) => "unexplainable",
            Self::Picture(refusal) => refusal.code(),
            Self::Form(_) => "bad-form",
            Self::NotAForm => "not-a-form",
            Self::EncodedBody => "encoded-body",
            Self::BodyTooLarge => "body-too-large",
            Self::CrossSite => "cross-site",
            Self::WrongHost => "wrong-host",
            Self::Timeout => "timeout",
            Self::Busy => "busy",
            Self::Internal => "internal",
        }
    }

    /// What stands for an answer that another layer refused with a bare status.
    fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::NoSuchPage,
            StatusCode::METHOD_NOT_ALLOWED => Self::MethodNotAllowed,
            StatusCode::PAYLOAD_TOO_LARGE => Self::BodyTooLarge,
            StatusCode::FORBIDDEN => Self::CrossSite,
            StatusCode::REQUEST_TIMEOUT => Self::Timeout,
            status if status.is_client_error() => Self::Form("the request is malformed"),
            _ => Self::Internal,
        }
    }

    fn told(&self, wanted: Wanted) -> Response {
        let body = match wanted {
            Wanted::Page => pages::problem(self),
            Wanted::Json => serde_json::json!({ "code": self.code(), "message": self.to_string() }).to_string(),
        };
        let kind = if wanted == Wanted::Page { "text/html; charset=utf-8" } else { "application/problem+json" };
        let mut response = (self.status(), [(CONTENT_TYPE, kind)], Body::from(body)).into_response();
        if matches!(self, Self::Busy) {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("2"));
        }
        response
    }
}

fn status_of(refusal: &Refusal) -> StatusCode {
    match refusal {
        Refusal::Empty => StatusCode::BAD_REQUEST,
        Refusal::TooManyBytes { .. } | Refusal::SideTooLong { .. } | Refusal::TooManyPixels { .. } | Refusal::TooMuchMemory { .. } => {
            StatusCode::PAYLOAD_TOO_LARGE
        }
        Refusal::UnknownFormat { .. } | Refusal::FormatNotAccepted { .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

impl From<crate::Error> for Problem {
    fn from(error: crate::Error) -> Self {
        match error {
            crate::Error::Picture(refusal) => Self::Picture(refusal),
            other => Self::Unexplainable(other.to_string()),
        }
    }
}

impl From<xai::Error> for Problem {
    fn from(error: xai::Error) -> Self {
        Self::Unexplainable(error.to_string())
    }
}

impl IntoResponse for Problem {
    /// Only the status and the problem itself: [`tell`] finds words when it knows who asked.
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Gives every refusal, of whatever layer, its code and its words.
pub async fn tell(request: Request, next: Next) -> Response {
    let wanted = Wanted::of(request.headers());
    let response = next.run(request).await;
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    match response.extensions().get::<Problem>() {
        Some(problem) => problem.told(wanted),
        None => Problem::of_status(status).told(wanted),
    }
}

/// The answer to an address that does not exist.
pub async fn no_such_page() -> Problem {
    Problem::NoSuchPage
}
