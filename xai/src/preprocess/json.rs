//! Typed reading of single fields, each refusal with the field's name.

use crate::Error;
use serde_json::{Map, Value};

pub(super) type Fields = Map<String, Value>;

pub(super) fn refuse(field: &str, problem: impl Into<String>) -> Error {
    Error::Config { file: "preprocessor_config.json".into(), field: field.into(), problem: problem.into() }
}

/// The value of a field; null counts as missing, as in the reference.
pub(super) fn get<'a>(fields: &'a Fields, name: &str) -> Option<&'a Value> {
    fields.get(name).filter(|value| !value.is_null())
}

pub(super) fn switch(fields: &Fields, name: &str, default: bool) -> Result<bool, Error> {
    match get(fields, name) {
        None => Ok(default),
        Some(Value::Bool(on)) => Ok(*on),
        Some(other) => Err(refuse(name, format!("found {other}; write true or false"))),
    }
}

pub(super) fn text<'a>(fields: &'a Fields, name: &str) -> Result<Option<&'a str>, Error> {
    get(fields, name).map(|value| value.as_str().ok_or_else(|| refuse(name, format!("found {value}; write a name in quotes")))).transpose()
}

/// A side in pixels, 1 to 4096.
pub(super) fn side(value: &Value, name: &str) -> Result<u32, Error> {
    value
        .as_u64()
        .filter(|side| (1..=4096).contains(side))
        .map(|side| side as u32)
        .ok_or_else(|| refuse(name, format!("found {value}; write whole pixels from 1 to 4096")))
}

pub(super) fn number(value: &Value, name: &str) -> Result<f64, Error> {
    value
        .as_f64()
        .filter(|number| number.is_finite() && (*number as f32).is_finite())
        .ok_or_else(|| refuse(name, format!("found {value}; write a finite number")))
}

/// Three numbers, or one for all channels, in brackets or without.
pub(super) fn per_channel(value: &Value, name: &str) -> Result<[f32; 3], Error> {
    let Value::Array(items) = value else {
        return Ok([number(value, name)? as f32; 3]);
    };
    let numbers = items.iter().map(|item| Ok(number(item, name)? as f32)).collect::<Result<Vec<f32>, Error>>()?;
    if let [one] = numbers[..] {
        return Ok([one; 3]);
    }
    numbers.try_into().map_err(|_| refuse(name, format!("found {} values; write three, one a channel", items.len())))
}
