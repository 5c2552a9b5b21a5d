//! Reading a `preprocessor_config.json`.

use super::defaults::{self, BareSize, Defaults};
use super::json::{self, Fields, get, refuse};
use super::{Channels, Normalization, Preprocessor, Resample, Resize, Size};
use crate::Error;
use serde_json::Value;

/// Fields that change the pixels; each is read below.
const READ: [&str; 11] = [
    "do_resize",
    "size",
    "resample",
    "do_center_crop",
    "crop_size",
    "do_rescale",
    "rescale_factor",
    "do_normalize",
    "image_mean",
    "image_std",
    "default_to_square",
];

/// Fields that leave an RGB picture's pixels as they are.
const NEUTRAL: [&str; 12] = [
    "image_processor_type",
    "feature_extractor_type",
    "processor_class",
    "auto_map",
    "_valid_processor_keys",
    "_processor_class",
    "do_convert_rgb",
    "do_reduce_labels",
    "disable_grouping",
    "input_data_format",
    "return_tensors",
    "device",
];

pub(super) fn read(text: &str) -> Result<Preprocessor, Error> {
    let fields: Fields = serde_json::from_str(text).map_err(|cause| refuse("(whole file)", format!("it is no JSON object: {cause}")))?;
    let defaults = processor(&fields)?;
    refuse_unknown(&fields)?;
    let preprocessor = Preprocessor {
        resize: resize(&fields, &defaults)?,
        resample: resample(&fields, &defaults)?,
        crop: crop(&fields, &defaults)?,
        rescale: rescale(&fields)?,
        normalization: normalization(&fields, &defaults)?,
        channels: Channels::Rgb,
    };
    refuse_varying_size(&preprocessor)?;
    Ok(preprocessor)
}

fn processor(fields: &Fields) -> Result<Defaults, Error> {
    for name in ["image_processor_type", "feature_extractor_type"] {
        if let Some(kind) = json::text(fields, name)? {
            let known = "ViT, DeiT, Bit and CLIP image processors are known";
            return defaults::of(kind).ok_or_else(|| refuse(name, format!("{kind} is not supported; {known}")));
        }
    }
    Ok(defaults::VIT)
}

/// A field nobody reads may be off or empty; switched on, it would change the picture behind our back.
fn refuse_unknown(fields: &Fields) -> Result<(), Error> {
    let off = |value: &Value| matches!(value, Value::Null | Value::Bool(false));
    for (name, value) in fields {
        let known = READ.contains(&name.as_str()) || NEUTRAL.contains(&name.as_str());
        let channels_first = name == "data_format" && value == "channels_first";
        if !known && !channels_first && !off(value) {
            return Err(refuse(name, format!("{value} is not supported; remove the field if the model does not need it")));
        }
    }
    Ok(())
}

fn resize(fields: &Fields, defaults: &Defaults) -> Result<Resize, Error> {
    let square = match get(fields, "default_to_square") {
        None => matches!(defaults.number, BareSize::Square),
        Some(_) => json::switch(fields, "default_to_square", true)?,
    };
    let resize = match get(fields, "size") {
        None => defaults.resize,
        Some(value @ Value::Number(_)) if !square => Resize::ShortestEdge(json::side(value, "size")?),
        Some(Value::Object(edges)) if edges.contains_key("shortest_edge") => only_shortest_edge(edges)?,
        Some(value) => Resize::To(rectangle(value, "size")?),
    };
    Ok(if json::switch(fields, "do_resize", true)? { resize } else { Resize::Keep })
}

fn only_shortest_edge(edges: &Fields) -> Result<Resize, Error> {
    if let Some(other) = edges.keys().find(|key| *key != "shortest_edge") {
        return Err(refuse(&format!("size.{other}"), "it is not supported beside shortest_edge; keep shortest_edge alone"));
    }
    Ok(Resize::ShortestEdge(json::side(&edges["shortest_edge"], "size.shortest_edge")?))
}

/// One number (a square), `[height, width]` or `{"height": .., "width": ..}`.
fn rectangle(value: &Value, name: &str) -> Result<Size, Error> {
    let (height, width) = match value {
        Value::Number(_) => (value, value),
        Value::Array(sides) if sides.len() == 2 => (&sides[0], &sides[1]),
        Value::Object(sides) => {
            if let Some(other) = sides.keys().find(|key| *key != "height" && *key != "width") {
                return Err(refuse(&format!("{name}.{other}"), "it is not supported; write height and width"));
            }
            (sides.get("height").unwrap_or(&Value::Null), sides.get("width").unwrap_or(&Value::Null))
        }
        _ => {
            return Err(refuse(name, format!("found {value}; write height and width")));
        }
    };
    Ok(Size { height: json::side(height, &format!("{name}.height"))?, width: json::side(width, &format!("{name}.width"))? })
}

fn resample(fields: &Fields, defaults: &Defaults) -> Result<Resample, Error> {
    let Some(value) = get(fields, "resample") else {
        return Ok(defaults.resample);
    };
    match value.as_u64() {
        Some(0) => Ok(Resample::Nearest),
        Some(1) => Ok(Resample::Lanczos),
        Some(2) => Ok(Resample::Bilinear),
        Some(3) => Ok(Resample::Bicubic),
        _ => Err(refuse("resample", format!("found {value}; 0 nearest, 1 Lanczos, 2 bilinear and 3 bicubic are supported"))),
    }
}

fn crop(fields: &Fields, defaults: &Defaults) -> Result<Option<Size>, Error> {
    let size = get(fields, "crop_size").map(|value| rectangle(value, "crop_size")).transpose()?.or(defaults.crop);
    if !json::switch(fields, "do_center_crop", defaults.center_crop)? {
        return Ok(None);
    }
    size.map(Some).ok_or_else(|| refuse("crop_size", "it is missing although do_center_crop is true; write height and width"))
}

fn rescale(fields: &Fields) -> Result<Option<f64>, Error> {
    let factor = get(fields, "rescale_factor").map_or(Ok(1.0 / 255.0), |value| json::number(value, "rescale_factor"))?;
    if factor <= 0.0 {
        return Err(refuse("rescale_factor", format!("found {factor}; write a number above zero")));
    }
    Ok(json::switch(fields, "do_rescale", true)?.then_some(factor))
}

fn normalization(fields: &Fields, defaults: &Defaults) -> Result<Option<Normalization>, Error> {
    let read = |name, default| get(fields, name).map_or(Ok(default), |value| json::per_channel(value, name));
    let mean = read("image_mean", defaults.normalization.mean)?;
    let std = read("image_std", defaults.normalization.std)?;
    // A deviation below the smallest normal number makes infinite pixels.
    if std.iter().any(|value| *value < f32::MIN_POSITIVE) {
        return Err(refuse("image_std", format!("found {std:?}; write three numbers above zero")));
    }
    Ok(json::switch(fields, "do_normalize", true)?.then_some(Normalization { mean, std }))
}

/// A vision transformer reads batches of one size, so the file has to fix it.
fn refuse_varying_size(preprocessor: &Preprocessor) -> Result<(), Error> {
    match (preprocessor.crop, preprocessor.resize) {
        (Some(_), _) | (None, Resize::To(_)) => Ok(()),
        (None, _) => Err(refuse(
            "do_center_crop",
            "without a crop the output's size varies; set it to true with a crop_size, or size to height and width",
        )),
    }
}
