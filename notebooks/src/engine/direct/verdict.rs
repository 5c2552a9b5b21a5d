//! What the compiler's messages mean for a cell, and in which words a user is told.

use std::collections::BTreeMap;

use super::cell::Cell;
use super::diagnostic::Diagnostic;
use super::source::{Mark, Source};
use super::variables::Variables;
use crate::engine::CellError;

/// Errors by which the compiler says that a value does not live as long as a notebook.
const BORROWS: [&str; 11] = ["E0597", "E0716", "E0505", "E0506", "E0515", "E0521", "E0499", "E0502", "E0503", "E0310", "E0373"];

/// What is to be done about a cell that did not compile.
#[derive(Debug, PartialEq)]
pub enum Verdict {
    /// It moves these variables away: without keeping them it may compile.
    Moved(Vec<Mark>),
    /// A value is borrowed for longer than it lives: by these new variables, or else it may be the last expression's.
    Borrowed(Vec<String>),
    /// It is wrong.
    Wrong,
}

/// The verdict on a cell's messages.
pub fn of(diagnostics: &[Diagnostic], source: &Source) -> Verdict {
    let errors: Vec<&Diagnostic> = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).collect();
    let moved: Vec<Option<Mark>> = errors.iter().map(|error| moved(error, source)).collect();
    if !errors.is_empty() && moved.iter().all(Option::is_some) {
        return Verdict::Moved(moved.into_iter().flatten().collect());
    }
    let borrows = |error: &&Diagnostic| BORROWS.contains(&error.code()) || error.message.contains("lifetime may not live long enough");
    match !errors.is_empty() && errors.iter().all(borrows) {
        true => Verdict::Borrowed(errors.iter().flat_map(|error| borrowers(error, source)).collect()),
        false => Verdict::Wrong,
    }
}

/// Where an error says that a variable cannot be kept because it was moved.
fn moved(error: &Diagnostic, source: &Source) -> Option<Mark> {
    let labels = error.labels();
    let place = labels.iter().find(|label| label.primary)?;
    match source.mark(place.range.start)? {
        mark @ (Mark::PutBack(_) | Mark::Keep(_)) if error.code() == "E0382" || error.code() == "E0381" => Some(mark.clone()),
        _ => None,
    }
}

/// The variables whose keeping needs a borrow to last.
fn borrowers(error: &Diagnostic, source: &Source) -> Vec<String> {
    let labels: Vec<_> = std::iter::once(error).chain(&error.children).flat_map(Diagnostic::labels).collect();
    // Where a move is the error, its place is that of the owner.
    let owner = |primary: bool| primary && error.code() == "E0505";
    let keeps = labels.iter().filter(|label| !owner(label.primary)).filter_map(|label| match source.mark(label.range.start)? {
        Mark::Keep(name) => Some(name.clone()),
        _ => None,
    });
    keeps.collect()
}

/// The types that a probe was told, by variable.
pub fn types(diagnostics: &[Diagnostic], source: &Source) -> BTreeMap<String, String> {
    let told = diagnostics.iter().filter_map(|diagnostic| {
        let printed = diagnostic.message.strip_prefix("TYPE=")?;
        let labels = diagnostic.labels();
        match source.mark(labels.iter().find(|label| label.primary)?.range.start)? {
            Mark::Probe(name) => Some((name.clone(), printed.to_owned())),
            _ => None,
        }
    });
    told.collect()
}

/// What the compiler cannot know: that the text is a cell, and what became of variables.
pub fn remarks(error: &Diagnostic, source: &Source, cell: &Cell, variables: &Variables) -> Vec<String> {
    let labels: Vec<_> = std::iter::once(error).chain(&error.children).flat_map(Diagnostic::labels).collect();
    let marks: Vec<&Mark> = labels.iter().filter_map(|label| source.mark(label.range.start)).collect();
    let mut remarks = Vec::new();
    for mark in marks {
        remarks.extend(match mark {
            Mark::Load(name) if ["E0384", "E0594", "E0596"].contains(&error.code()) => {
                let of = variables.live.get(name).map_or(0, |variable| variable.cell);
                Some(format!("`{name}` comes from cell {of}, where it is not `mut`: write `let mut {name} = {name};` first"))
            }
            _ => None,
        });
    }
    if let Some(name) = unknown(error) {
        let known = variables.live.contains_key(name) || cell.bindings.iter().any(|binding| binding.name == *name);
        remarks.extend(variables.gone.get(name).map(|why| format!("`{name}` {why}")));
        remarks.extend(similar(name, variables).filter(|_| !known).map(|like| format!("there is a variable `{like}`")));
        remarks.extend(known.then(|| format!("functions do not see the variables of a notebook: give `{name}` to it as an argument")));
    }
    remarks.dedup();
    remarks
}

/// Why a variable that borrows is not there in the next cell.
pub fn borrows(cell: usize) -> String {
    format!("lasted for cell {cell} only, because it borrows: keep a copy (`.clone()`, `.to_owned()`, `.to_vec()`)")
}

/// The name in "cannot find value `net` in this scope".
fn unknown(error: &Diagnostic) -> Option<&str> {
    error.message.strip_prefix("cannot find value `")?.split('`').next()
}

/// The variable whose name is nearest, where that is two letters away at most.
fn similar<'a>(name: &str, variables: &'a Variables) -> Option<&'a str> {
    let near = variables.live.keys().map(|other| (distance(name, other), other.as_str()));
    near.filter(|(distance, other)| *distance <= 2 && *distance < other.chars().count().min(name.chars().count()))
        .min()
        .map(|(_, other)| other)
}

/// How many letters must be put in, left out or changed (Levenshtein, 1966).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, letter) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], index + 1);
        for at in 1..row.len() {
            let changed = diagonal + usize::from(letter != other[at - 1]);
            diagonal = row[at];
            row[at] = changed.min(row[at] + 1).min(row[at - 1] + 1);
        }
    }
    row[other.len()]
}

/// An error of one line.
pub fn error(name: &str, message: String) -> CellError {
    let traceback = vec![format!("\u{1b}[1;31m{name}\u{1b}[0m: {message}")];
    CellError { name: name.to_owned(), message, traceback }
}

/// The compiler could not be asked at all.
pub fn broken(error: &std::io::Error) -> CellError {
    self::error("CompileError", format!("the compiler could not be run: {error}"))
}

/// The user ended the cell.
pub fn interrupted() -> CellError {
    error("Interrupted", "the cell was interrupted; variables are kept".to_owned())
}
