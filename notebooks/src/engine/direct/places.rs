//! Where in the cells a panic or an error was.

use std::collections::BTreeMap;

use addr2line::Loader;
use serde_json::Value;

use super::source::{Source, Spot};

const FILE: &str = "pellucid_cell_";

/// The texts that were compiled, by the number of their cell: a closure in a box runs in the library of the cell that made it.
pub type Sources = BTreeMap<usize, Source>;

/// A line and a column of a compiled text.
type Line = (usize, usize, usize);

/// The spots that a cell's ending names, innermost first: its exact place where that is in a cell, and the way to it.
pub fn of(at: &Value, sources: &Sources) -> Vec<Spot> {
    let way = at["way"].as_array().into_iter().flatten().filter_map(line);
    let mut lines: Vec<Line> = exact(&at["place"]).into_iter().chain(way).collect();
    // The exact place and the innermost frame are one, and a statement may hold several calls.
    lines.dedup_by_key(|(cell, line, _)| (*cell, *line));
    lines.into_iter().filter_map(|(cell, line, column)| sources.get(&cell)?.spot_of_line(line, column)).collect()
}

fn exact(place: &Value) -> Option<Line> {
    Some((cell(place["file"].as_str()?)?, number(&place["line"])?, number(&place["column"])?))
}

/// The line of an address, from what the compiler wrote into the cell's library.
fn line(frame: &Value) -> Option<Line> {
    let loader = Loader::new(frame["library"].as_str()?).ok()?;
    let found = loader.find_location(frame["address"].as_u64()?).ok()??;
    Some((cell(found.file?)?, found.line? as usize, found.column.unwrap_or(1).max(1) as usize))
}

/// The number of the cell whose text this file is.
fn cell(file: &str) -> Option<usize> {
    let (_, rest) = file.rsplit_once(FILE)?;
    rest.split('.').next()?.parse().ok()
}

fn number(value: &Value) -> Option<usize> {
    usize::try_from(value.as_u64()?).ok()
}
