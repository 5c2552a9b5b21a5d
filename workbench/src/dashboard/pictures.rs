//! Pictures of a lesion, always encoded anew from pixels: nothing of an uploaded file is ever sent back.

use std::io::Cursor;
use std::sync::Arc;

use axum::extract::{Path, Query, State as Shared};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use image::codecs::jpeg::JpegEncoder;
use image::{ImageFormat, RgbImage, imageops};

use super::State;
use super::controls::Controls;
use super::lesion::Lesion;
use super::problem::Problem;
use super::reading;

/// Side of a thumbnail in pixels: twice what it takes on the page, for fine screens.
const THUMBNAIL: u32 = 320;

/// `GET /lesions/{id}/overlay.png`: the map over the picture.
pub async fn overlay(
    Shared(state): Shared<State>,
    Path(id): Path<String>,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let lesion = state.lesion(&id)?;
    let controls = Controls::parse(&query, state.model())?;
    let shared = state.clone();
    let draw = move || {
        let (reading, made) = reading::read(&shared, &lesion, &controls)?;
        png(&crate::pipeline::overlay(&lesion.picture, &reading, &made.map, &controls.style()))
    };
    Ok(picture("image/png", state.queue().run(draw).await??))
}

/// `GET /lesions/{id}/original.png`: the picture as it is shown beside its map.
pub async fn original(Shared(state): Shared<State>, Path(id): Path<String>) -> Result<Response, Problem> {
    let lesion = state.lesion(&id)?;
    encode(lesion, |lesion| png(&lesion.picture)).await.map(|bytes| picture("image/png", bytes))
}

/// `GET /lesions/{id}/thumbnail.jpg`: a small square from its middle.
pub async fn thumbnail(Shared(state): Shared<State>, Path(id): Path<String>) -> Result<Response, Problem> {
    let lesion = state.lesion(&id)?;
    encode(lesion, |lesion| jpeg(&small_square(&lesion.picture))).await.map(|bytes| picture("image/jpeg", bytes))
}

/// Encoding takes milliseconds and no model: it does not wait behind inference.
async fn encode(lesion: Arc<Lesion>, how: fn(&Lesion) -> Result<Vec<u8>, Problem>) -> Result<Vec<u8>, Problem> {
    tokio::task::spawn_blocking(move || how(&lesion)).await.map_err(|_| Problem::Internal)?
}

fn picture(kind: &'static str, bytes: Vec<u8>) -> Response {
    ([(CONTENT_TYPE, kind)], bytes).into_response()
}

fn small_square(image: &RgbImage) -> RgbImage {
    let side = image.width().min(image.height());
    let middle = imageops::crop_imm(image, (image.width() - side) / 2, (image.height() - side) / 2, side, side);
    imageops::resize(&middle.to_image(), THUMBNAIL, THUMBNAIL, imageops::FilterType::Triangle)
}

fn png(image: &RgbImage) -> Result<Vec<u8>, Problem> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, ImageFormat::Png).map_err(|_| Problem::Internal)?;
    Ok(bytes.into_inner())
}

fn jpeg(image: &RgbImage) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    image.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, 88)).map_err(|_| Problem::Internal)?;
    Ok(bytes)
}
