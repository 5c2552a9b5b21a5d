//! Hostile checkpoints and how each must end, K01 to K12 of the hostile-input list; every input is made here.
//!
//! K09 and K10 ask for a registry of models, which there is not yet: what fits today is the expected hash of the weights.

mod archives;
mod hostile_pickles;
mod kinds;
mod pickle_writer;
mod safetensors_headers;
mod shards;
mod tensors;
mod weights;
mod zip_writer;

pub use weights::Weights;

/// How a row must end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Loads,
    /// Refused with this code.
    Refused(&'static str),
}

/// Files in a folder of their own, the one that is given to the engine, and how it must end.
pub struct Row {
    pub id: &'static str,
    pub what: String,
    pub files: Vec<(String, Vec<u8>)>,
    pub path: String,
    pub sha256: Option<String>,
    pub expected: Outcome,
}

/// One hostile file beside a good `config.json`.
fn row(id: &'static str, what: &str, path: &str, bytes: Vec<u8>, expected: Outcome) -> Row {
    let config = ("config.json".to_owned(), Weights::config());
    let files = vec![(path.to_owned(), bytes), config];
    Row { id, what: what.into(), files, path: path.into(), sha256: None, expected }
}

/// A refused one.
fn refused(id: &'static str, what: &str, path: &str, bytes: Vec<u8>, code: &'static str) -> Row {
    row(id, what, path, bytes, Outcome::Refused(code))
}

pub fn all() -> Vec<Row> {
    let parts = [hostile_pickles::rows, archives::rows, kinds::rows, safetensors_headers::rows, tensors::rows, shards::rows];
    let mut rows: Vec<Row> = parts.iter().flat_map(|part| part()).collect();
    rows.sort_by_key(|row| row.id);
    rows
}
