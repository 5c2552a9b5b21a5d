//! Requests to the routes of the demonstration, without a port.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::sync::LazyLock;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use tower::ServiceExt;
use workbench::dashboard::{Hosts, Settings, State, Workload};

/// Routes over the demonstration's model, with few lesions so that tests start at once.
pub fn app_with(workload: Workload) -> Router {
    let settings = Settings::demo().unwrap();
    let shown = settings.shown[..8].to_vec();
    let hosts = Hosts::of(([127, 0, 0, 1], 7878).into());
    workbench::dashboard::app(State::new(Settings { shown, workload, ..settings }).unwrap(), hosts)
}

/// The same routes for every test of a file; a wide queue, because tests run at once.
pub fn app() -> Router {
    static APP: LazyLock<Router> = LazyLock::new(|| app_with(Workload { waiting: 64, receiving: 64, ..Workload::default() }));
    APP.clone()
}

/// A request in the making.
pub struct Asked {
    request: Request<Body>,
}

impl Asked {
    pub fn new(method: &str, address: &str) -> Self {
        let request = Request::builder().method(method).uri(address).header("host", "localhost:7878");
        Self { request: request.body(Body::empty()).unwrap() }
    }

    pub fn get(address: &str) -> Self {
        Self::new("GET", address)
    }

    /// An upload of a form as it is, with its boundary named.
    pub fn upload(form: impl Into<Body>) -> Self {
        let mut asked = Self::new("POST", "/lesions").with("content-type", &format!("multipart/form-data; boundary={BOUNDARY}"));
        *asked.request.body_mut() = form.into();
        asked
    }

    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.request.headers_mut().insert(name, value.parse().unwrap());
        self
    }

    pub fn accepting(self, kind: &str) -> Self {
        self.with("accept", kind)
    }

    pub async fn of(self, app: &Router) -> Answer {
        let response = app.clone().oneshot(self.request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = to_bytes(response.into_body(), 64 << 20).await.unwrap();
        Answer { status, headers, text: String::from_utf8_lossy(&bytes).into_owned(), bytes }
    }
}

/// What came back.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: Bytes,
    pub text: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The stable code of a refusal.
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// A page, as a browser asks for it.
pub async fn get(app: &Router, address: &str) -> Answer {
    Asked::get(address).accepting("text/html").of(app).await
}

pub async fn first_lesion(app: &Router) -> String {
    let home = get(app, "/").await.text;
    let at = home.find("/lesions/DRAWN_").expect("the worklist shows lesions") + "/lesions/".len();
    home[at..at + 13].to_owned()
}

pub const BOUNDARY: &str = "the-boundary";

/// A form with one file.
pub fn form(field: &str, file_name: &str, bytes: &[u8]) -> Vec<u8> {
    [part(field, file_name, bytes), closing()].concat()
}

pub fn part(field: &str, file_name: &str, bytes: &[u8]) -> Vec<u8> {
    let head = format!(
        "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{field}\"; filename=\"{file_name}\"\r\ncontent-type: image/png\r\n\r\n"
    );
    [head.as_bytes(), bytes, b"\r\n"].concat()
}

pub fn closing() -> Vec<u8> {
    format!("--{BOUNDARY}--\r\n").into_bytes()
}

/// A picture that is taken, different for every seed.
pub fn picture(seed: u64) -> Vec<u8> {
    let drawn = datasets::synthetic::draw(datasets::LesionClass::Nevus, seed, 96);
    let mut bytes = std::io::Cursor::new(Vec::new());
    drawn.image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}
