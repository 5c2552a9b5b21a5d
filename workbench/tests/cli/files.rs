//! Reading what the program wrote.

use std::path::Path;

use ndarray::Array2;
use serde_json::Value;

/// A float32 map, as anybody's `NumPy` would load it.
pub fn map(path: &Path) -> Array2<f32> {
    ndarray_npy::read_npy(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub fn numbers(value: &Value) -> Vec<f64> {
    let list = value.as_array().unwrap_or_else(|| panic!("no list: {value}"));
    list.iter().map(|number| number.as_f64().unwrap_or_else(|| panic!("no number: {number}"))).collect()
}

pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

/// Fails unless the value is a SHA-256 in hexadecimal.
pub fn assert_sha256(value: &Value) {
    let digits = text(value);
    assert!(digits.len() == 64 && digits.chars().all(|c| c.is_ascii_hexdigit()), "no SHA-256: {digits}");
}
