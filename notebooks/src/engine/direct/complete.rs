//! What may stand at the cursor.

use std::collections::{BTreeMap, BTreeSet};

use super::Direct;
use super::cursor::{Before, before};
use crate::api::{Api, Entry, Kind};
use crate::engine::Completions;

const KEYWORDS: [&str; 34] = [
    "as", "async", "await", "break", "const", "continue", "else", "enum", "false", "fn", "for", "if", "impl", "in", "let", "loop", "match",
    "mod", "move", "mut", "pub", "ref", "return", "self", "static", "struct", "super", "trait", "true", "type", "unsafe", "use", "where",
    "while",
];
const COMMANDS: [&str; 9] = [":clear", ":dep", ":help", ":opt", ":restart", ":timing", ":type", ":types", ":vars"];
const PRELUDE: &str = "pellucid::prelude";

impl Direct {
    /// Candidates for the word that ends at the cursor.
    pub(super) fn candidates(&self, code: &str, cursor: usize) -> Completions {
        let (at, word) = before(code, cursor);
        let names: BTreeSet<String> = match &at {
            Before::Command => COMMANDS.iter().map(|&command| command.to_owned()).collect(),
            Before::Value(receiver) => self.members_of_value(receiver).into_keys().collect(),
            Before::Path(path) => self.members_of_path(path),
            Before::Nothing => self.names(),
        };
        let matches = names.into_iter().filter(|name| name.starts_with(&word) && *name != word).collect();
        Completions { matches, range: cursor - word.chars().count()..cursor }
    }

    /// Fields and methods of a variable, with what is known about each.
    pub(super) fn members_of_value(&self, name: &str) -> BTreeMap<String, Option<&Entry>> {
        let Some(variable) = self.variables.live.get(name) else { return BTreeMap::new() };
        let ty = path_of(&variable.ty);
        let of_values = |entry: &Option<&Entry>| entry.is_some_and(|entry| matches!(entry.kind, Kind::Method | Kind::Field));
        let mut members: BTreeMap<_, _> = self.api.iter().flat_map(|api| api.members(&ty)).filter(|(_, entry)| of_values(entry)).collect();
        members.extend(self.items.members(&ty).into_iter().map(|member| (member, None)));
        members
    }

    fn members_of_path(&self, path: &str) -> BTreeSet<String> {
        let known = self.api.as_ref().map(|api| api.members(&self.whole_path(api, path)));
        let mut members: BTreeSet<String> = known.into_iter().flat_map(BTreeMap::into_keys).collect();
        members.extend(self.items.members(path));
        members
    }

    /// A path as the index has it: what it begins with may be an import or a name of the prelude.
    pub(super) fn whole_path(&self, api: &Api, path: &str) -> String {
        let (first, rest) = path.split_once("::").map_or((path, None), |(first, rest)| (first, Some(rest)));
        let imported = self.items.imported(first);
        let in_prelude = format!("{PRELUDE}::{first}");
        let start = match imported {
            Some(path) => path,
            None if !api.members(first).is_empty() => first.to_owned(),
            None if api.members(PRELUDE).contains_key(first) => in_prelude,
            None => first.to_owned(),
        };
        rest.map_or(start.clone(), |rest| format!("{start}::{rest}"))
    }

    fn names(&self) -> BTreeSet<String> {
        let mut names: BTreeSet<String> = KEYWORDS.iter().map(|&word| word.to_owned()).collect();
        names.extend(self.variables.live.keys().cloned());
        names.extend(self.items.names().map(|(name, _)| name.to_owned()));
        names.extend(self.settings.prebuilt.externs.iter().chain(&self.compiler.externs).map(|(name, _)| name.clone()));
        names.extend(["pellucid".to_owned(), "std".to_owned()]);
        names.extend(self.api.iter().flat_map(|api| api.members(PRELUDE).into_keys()));
        names
    }
}

/// The path of a type without what stands in angle brackets; of what a reference points to.
fn path_of(ty: &str) -> String {
    let ty = ty.trim_start_matches(['&', ' ']).trim_start_matches("'static ").trim_start_matches("mut ");
    ty.split('<').next().unwrap_or(ty).trim().to_owned()
}
