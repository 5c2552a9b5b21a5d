//! What the compiler says about a crate, as it says it to programs.

use std::ops::Range;

use serde::Deserialize;

/// An error, a warning or a remark.
#[derive(Clone, Debug, Deserialize)]
pub struct Diagnostic {
    pub message: String,
    pub level: String,
    code: Option<Code>,
    spans: Vec<Span>,
    #[serde(default)]
    pub children: Vec<Diagnostic>,
}

#[derive(Clone, Debug, Deserialize)]
struct Code {
    code: String,
}

#[derive(Clone, Debug, Deserialize)]
struct Span {
    file_name: String,
    byte_start: usize,
    byte_end: usize,
    is_primary: bool,
    label: Option<String>,
    suggested_replacement: Option<String>,
    expansion: Option<Box<Expansion>>,
}

#[derive(Clone, Debug, Deserialize)]
struct Expansion {
    span: Span,
}

/// A range of the crate's text with what is said about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    pub range: Range<usize>,
    pub primary: bool,
    pub text: Option<String>,
    /// What to write there instead.
    pub instead: Option<String>,
}

/// Reads what the compiler wrote: a JSON object a line; other lines are none of its diagnostics.
pub fn read(output: &[u8]) -> Vec<Diagnostic> {
    let lines = output.split(|&byte| byte == b'\n');
    lines.filter_map(|line| serde_json::from_slice(line).ok()).collect()
}

impl Diagnostic {
    /// What the compiler wrote where it wrote nothing that is a diagnostic: it was ended, or broke.
    pub fn unreadable(output: &str) -> Self {
        let message = match output.trim() {
            "" => "the compiler ended without a word".to_owned(),
            text => format!("the compiler failed: {text}"),
        };
        Self { message, level: "error".to_owned(), code: None, spans: Vec::new(), children: Vec::new() }
    }

    /// The error's number, `E0382`, or the name of the lint.
    pub fn code(&self) -> &str {
        self.code.as_ref().map_or("", |code| &code.code)
    }

    /// True for an error in the text, and not for the count of errors at the end.
    pub fn is_error(&self) -> bool {
        self.level.starts_with("error") && !self.message.starts_with("aborting due to") && !self.message.starts_with("Some errors have")
    }

    /// Its ranges in the crate's own file: what stands in a macro of another file is blamed on its call.
    pub fn labels(&self) -> Vec<Label> {
        self.spans.iter().filter_map(label).collect()
    }
}

fn label(span: &Span) -> Option<Label> {
    let (text, instead) = (span.label.clone(), span.suggested_replacement.clone());
    let mut place = span;
    while let Some(expansion) = &place.expansion {
        place = &expansion.span;
    }
    let is_own = place.file_name.contains("pellucid_cell_");
    is_own.then_some(Label { range: place.byte_start..place.byte_end, primary: span.is_primary, text, instead })
}
