//! Where in the cells a panic or an error was.

use addr2line::Loader;
use serde_json::Value;

use super::source::{Source, Spot};

/// The spots that a cell's ending names, innermost first: its exact place where that is in a cell, and the way to it.
pub fn of(at: &Value, source: &Source) -> Vec<Spot> {
    let place = exact(&at["place"]).and_then(|(line, column)| Some((line, source.spot_of_line(line, column)?)));
    let way: Vec<(usize, Spot)> = at["way"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|frame| {
            let (line, column) = line(frame)?;
            Some((line, source.spot_of_line(line, column)?))
        })
        .collect();
    let mut spots: Vec<(usize, Spot)> = place.into_iter().chain(way).collect();
    // The innermost frame and the exact place are one; a statement may also hold several calls.
    spots.dedup_by_key(|(line, _)| *line);
    spots.into_iter().map(|(_, spot)| spot).collect()
}

fn exact(place: &Value) -> Option<(usize, usize)> {
    place["file"].as_str().filter(|file| file.contains("pellucid_cell_"))?;
    Some((number(&place["line"])?, number(&place["column"])?))
}

/// The line of an address, from what the compiler wrote into the cell's library. Functions of earlier cells are compiled into
/// each cell anew, so that the running cell's own text has them all; a frame of another cell's library is left out.
fn line(frame: &Value) -> Option<(usize, usize)> {
    let loader = Loader::new(frame["library"].as_str()?).ok()?;
    let found = loader.find_location(frame["address"].as_u64()?).ok()??;
    Some((found.line? as usize, found.column.unwrap_or(1).max(1) as usize))
}

fn number(value: &Value) -> Option<usize> {
    usize::try_from(value.as_u64()?).ok()
}
