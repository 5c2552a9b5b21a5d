//! Messages drawn over the cells' own lines.

use std::collections::BTreeMap;
use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Element, Group, Level, Origin, Patch, Renderer, Snippet};

use super::diagnostic::{Diagnostic, Label};
use super::source::{Source, Spot};

/// The texts of all cells by number.
pub type Texts = BTreeMap<usize, String>;

/// A range of a cell with what is said about it.
#[derive(Clone, Debug)]
pub struct Note {
    pub start: Spot,
    pub end: usize,
    pub primary: bool,
    pub text: Option<String>,
    pub instead: Option<String>,
}

/// Draws a message of the compiler, with more remarks below it.
pub fn diagnostic(diagnostic: &Diagnostic, source: &Source, texts: &Texts, remarks: &[String]) -> String {
    let level = if diagnostic.is_error() { Level::ERROR } else { Level::WARNING };
    let code = diagnostic.code();
    let title = level.primary_title(diagnostic.message.as_str());
    let title = if code.starts_with('E') { title.id(code) } else { title };
    let mut groups = vec![Group::with_title(title).elements(snippets(&notes(&diagnostic.labels(), source, texts), texts))];
    for child in &diagnostic.children {
        add_child(&mut groups, child, source, texts);
    }
    for remark in remarks {
        groups = said(groups, Level::HELP.message(remark.as_str()));
    }
    draw(&groups)
}

/// Draws a title over one place of a cell.
pub fn at(title: &str, text: &str, place: Option<&Note>, texts: &Texts) -> String {
    let group = Group::with_title(Level::ERROR.with_name(title.to_owned()).primary_title(text.to_owned()));
    let places: Vec<Note> = place.cloned().into_iter().collect();
    draw(&[group.elements(snippets(&places, texts))])
}

/// The line around a spot, as a note: everything from the word at the spot to the end of its line.
pub fn rest_of_line(spot: Spot, texts: &Texts, text: &str) -> Option<Note> {
    let cell = texts.get(&spot.cell)?;
    let before = cell.get(..spot.offset)?.trim_end_matches(|c: char| c.is_alphanumeric() || c == '_');
    let spot = Spot { offset: before.len(), ..spot };
    let rest = &cell[spot.offset..];
    let length = rest.split('\n').next().unwrap_or_default().trim_end().len();
    Some(Note { start: spot, end: spot.offset + length, primary: true, text: Some(text.to_owned()), instead: None })
}

fn draw(groups: &[Group]) -> String {
    Renderer::styled().decor_style(DecorStyle::Ascii).render(groups)
}

fn said<'a>(mut groups: Vec<Group<'a>>, message: impl Into<Element<'a>>) -> Vec<Group<'a>> {
    if let Some(last) = groups.pop() {
        groups.push(last.element(message));
    }
    groups
}

/// A remark of the compiler; one that suggests other text shows the text as it would be.
fn add_child<'a>(groups: &mut Vec<Group<'a>>, child: &'a Diagnostic, source: &Source, texts: &'a Texts) {
    let level = if child.level == "help" { Level::HELP } else { Level::NOTE };
    let labels = child.labels();
    let notes = notes(&labels, source, texts);
    let patches: Vec<&Note> = notes.iter().filter(|note| note.instead.is_some()).collect();
    let is_ours = |label: &&Label| source.mark(label.range.start).is_none();
    let lost: Vec<&str> = labels.iter().filter(is_ours).filter_map(|label| label.instead.as_deref()).collect();
    if let Some(first) = patches.first() {
        let cell = first.start.cell;
        let same = patches.iter().filter(|note| note.start.cell == cell);
        let patches: Vec<Patch> =
            same.map(|note| Patch::new(note.start.offset..note.end, note.instead.clone().unwrap_or_default())).collect();
        let snippet = Snippet::source(texts[&cell].as_str()).path(origin(cell)).patches(patches);
        groups.push(level.secondary_title(child.message.as_str()).element(snippet));
    } else if let Some(first) = lost.first() {
        let message = level.message(format!("{}: `{}`", child.message, first.trim()));
        *groups = said(std::mem::take(groups), message);
    } else if notes.is_empty() && labels.is_empty() {
        *groups = said(std::mem::take(groups), level.message(child.message.as_str()));
    } else if !notes.is_empty() {
        groups.push(level.secondary_title(child.message.as_str()).elements(snippets(&notes, texts)));
    }
}

/// The labels that stand in cells.
fn notes(labels: &[Label], source: &Source, texts: &Texts) -> Vec<Note> {
    labels.iter().filter_map(|label| note(label, source, texts)).collect()
}

fn note(label: &Label, source: &Source, texts: &Texts) -> Option<Note> {
    let start = source.spot(label.range.start)?;
    let end = source.spot(label.range.end).filter(|end| end.cell == start.cell && end.offset >= start.offset);
    let text = texts.get(&start.cell)?;
    let start = Spot { offset: start.offset.min(text.trim_end().len()), ..start };
    let end = end.map_or(start.offset, |end| end.offset).min(text.len());
    let is_text = text.is_char_boundary(start.offset) && text.is_char_boundary(end) && start.offset <= end;
    is_text.then(|| Note { start, end, primary: label.primary, text: label.text.clone(), instead: label.instead.clone() })
}

fn origin(cell: usize) -> String {
    format!("cell {cell}")
}

/// One picture for each cell that the notes stand in, the one with the primary note first.
fn snippets<'a>(notes: &[Note], texts: &'a Texts) -> Vec<Element<'a>> {
    let mut cells: Vec<usize> = notes.iter().filter(|note| note.primary).chain(notes).map(|note| note.start.cell).collect();
    let mut seen = Vec::new();
    cells.retain(|cell| {
        !seen.contains(cell) && {
            seen.push(*cell);
            true
        }
    });
    let picture = |cell: usize| -> Option<Element<'a>> {
        let text = texts.get(&cell)?;
        let annotations = notes.iter().filter(|note| note.start.cell == cell).map(|note| {
            let kind = if note.primary { AnnotationKind::Primary } else { AnnotationKind::Context };
            let range: Range<usize> = note.start.offset..note.end;
            kind.span(range).label(note.text.clone())
        });
        Some(Snippet::source(text.as_str()).path(origin(cell)).annotations(annotations).into())
    };
    let mut pictures: Vec<Element> = cells.into_iter().filter_map(picture).collect();
    if pictures.is_empty() && !notes.is_empty() {
        pictures.push(Origin::path("cell").into());
    }
    pictures
}
