//! What stands at the cursor: type and documentation.

use super::Direct;
use super::cursor::{Before, before, end_of_word};
use crate::api::Entry;
use crate::engine::Bundle;

impl Direct {
    /// What is known about the word around the cursor.
    pub(super) fn about(&self, code: &str, cursor: usize) -> Option<Bundle> {
        let (at, word) = before(code, end_of_word(code, cursor));
        if word.is_empty() {
            return None;
        }
        match at {
            Before::Command => None,
            Before::Value(receiver) => (*self.members_of_value(&receiver).get(&word)?).map(described),
            Before::Path(path) => self.at_path(&format!("{path}::{word}")),
            Before::Nothing => self.variable(&word).or_else(|| self.item(&word)).or_else(|| self.at_path(&word)),
        }
    }

    fn variable(&self, name: &str) -> Option<Bundle> {
        let variable = self.variables.live.get(name)?;
        let mutable = if variable.mutable { "mut " } else { "" };
        let declared = format!("let {mutable}{name}: {}", variable.ty);
        let of_type = self.api.as_ref().and_then(|api| api.entry(variable.ty.split('<').next()?));
        let doc = of_type.map(|entry| format!("\n\n{}", entry.doc)).unwrap_or_default();
        Some(bundle(&declared, &format!("made in cell {}{doc}", variable.cell)))
    }

    fn item(&self, name: &str) -> Option<Bundle> {
        let (cell, text) = self.items.text_of(name, &self.texts)?;
        Some(bundle(&text, &format!("from cell {cell}")))
    }

    fn at_path(&self, path: &str) -> Option<Bundle> {
        let api = self.api.as_ref()?;
        api.entry(&self.whole_path(api, path)).map(described)
    }
}

fn described(entry: &Entry) -> Bundle {
    bundle(&entry.signature, &entry.doc)
}

fn bundle(declared: &str, doc: &str) -> Bundle {
    let plain = format!("{declared}\n\n{doc}");
    let marked = format!("```rust\n{declared}\n```\n\n{doc}");
    [("text/plain".to_owned(), plain.trim_end().into()), ("text/markdown".to_owned(), marked.trim_end().into())].into_iter().collect()
}
