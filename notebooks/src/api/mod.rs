//! The index of what the library offers: made once from the documentation, looked up at every key.

mod convert;
mod document;
mod signature;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

pub use convert::add;
pub use document::{Documented, document};

/// Every public path, and the shorter ones that lead to it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Api {
    /// What stands at a path: `xai::HeatMap`, and its members one step below, `xai::HeatMap::resized`.
    pub entries: BTreeMap<String, Entry>,
    /// Where a name is exported again: `pellucid::prelude::HeatMap` leads to `xai::HeatMap`.
    pub aliases: BTreeMap<String, String>,
    /// Modules whose whole content is exported again elsewhere.
    pub globs: BTreeMap<String, BTreeSet<String>>,
}

/// What is told about a path.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// What it is.
    pub kind: Kind,
    /// How it is declared.
    pub signature: String,
    /// The first paragraph of its documentation.
    pub doc: String,
}

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A module or a crate.
    Module,
    /// A struct, an enum, a union, a trait or an alias.
    Type,
    /// A function, also one of a type that takes no value of it.
    Function,
    /// A function that is called on a value.
    Method,
    /// A field of a struct.
    Field,
    /// A variant of an enum.
    Variant,
    /// A constant or a static.
    Constant,
    /// A macro.
    Macro,
}

impl Api {
    /// Reads an index.
    ///
    /// # Errors
    ///
    /// Where the file cannot be read or is no index.
    pub fn read(path: &Path) -> io::Result<Self> {
        serde_json::from_slice(&fs::read(path)?).map_err(io::Error::other)
    }

    /// Writes the index.
    ///
    /// # Errors
    ///
    /// Where the file cannot be written.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        fs::write(path, serde_json::to_vec(self).map_err(io::Error::other)?)
    }

    /// Where a path leads after every export: itself where it is no export.
    pub fn resolve(&self, path: &str) -> String {
        let mut path = path.to_owned();
        // An export of an export of … ends; a circle does not.
        for _ in 0..8 {
            match self.step(&path) {
                Some(next) => path = next,
                None => break,
            }
        }
        path
    }

    /// What stands at a path.
    pub fn entry(&self, path: &str) -> Option<&Entry> {
        self.entries.get(path).or_else(|| self.entries.get(&self.resolve(path)))
    }

    /// The names one step below a path, with what stands there where that is known.
    pub fn members(&self, path: &str) -> BTreeMap<String, Option<&Entry>> {
        let path = self.resolve(path);
        let start = format!("{path}::");
        let mut members = BTreeMap::new();
        for (below, entry) in self.entries.range(start.clone()..).take_while(|(below, _)| below.starts_with(&start)) {
            if let Some(name) = direct(below, &start) {
                members.insert(name.to_owned(), Some(entry));
            }
        }
        for (below, to) in self.aliases.range(start.clone()..).take_while(|(below, _)| below.starts_with(&start)) {
            if let Some(name) = direct(below, &start) {
                members.insert(name.to_owned(), self.entry(to));
            }
        }
        for glob in self.globs.get(&path).into_iter().flatten().filter(|glob| **glob != path) {
            members.extend(self.entries_below(glob));
        }
        members
    }

    fn entries_below(&self, path: &str) -> BTreeMap<String, Option<&Entry>> {
        let start = format!("{}::", self.resolve(path));
        let below = self.entries.range(start.clone()..).take_while(|(below, _)| below.starts_with(&start));
        below.filter_map(|(below, entry)| Some((direct(below, &start)?.to_owned(), Some(entry)))).collect()
    }

    /// One export followed: of the whole path, of a part of it, or of everything in a module.
    fn step(&self, path: &str) -> Option<String> {
        if let Some(to) = self.aliases.get(path) {
            return Some(to.clone());
        }
        if self.entries.contains_key(path) {
            return None;
        }
        let (parent, name) = path.rsplit_once("::")?;
        if let Some(found) =
            self.globs.get(parent).into_iter().flatten().map(|glob| format!("{glob}::{name}")).find(|path| self.entries.contains_key(path))
        {
            return Some(found);
        }
        self.step(parent).map(|parent| format!("{parent}::{name}"))
    }
}

fn direct<'a>(path: &'a str, start: &str) -> Option<&'a str> {
    path.strip_prefix(start).filter(|name| !name.contains("::"))
}
