//! The items of all earlier cells.

use std::collections::{BTreeMap, BTreeSet};

use super::{Definition, Wording};

/// Items with the number of the cell that each stands in.
#[derive(Clone, Debug, Default)]
pub struct Items(Vec<(usize, Definition)>);

impl Items {
    /// Every item, macros first, for they must stand before their use.
    pub fn iter(&self) -> impl Iterator<Item = &(usize, Definition)> {
        let (macros, others) = (self.0.iter().filter(|(_, item)| item.is_macro), self.0.iter().filter(|(_, item)| !item.is_macro));
        macros.chain(others)
    }

    /// What is left of these when the items of a new cell stand beside them.
    pub fn without(&self, new: &[Definition]) -> Self {
        let new = flat(new);
        let stays = |(_, old): &&(usize, Definition)| !new.iter().any(|new| replaces(new, old));
        Self(self.0.iter().filter(stays).cloned().collect())
    }

    /// These with the items of a new cell.
    pub fn with(&self, cell: usize, new: &[Definition]) -> Self {
        let mut kept = self.without(new);
        kept.0.extend(flat(new).into_iter().map(|item| (cell, item.clone())));
        kept
    }

    /// The names whose meaning may change the memory of a value once these new items are there: what is new or has other
    /// tokens, and whatever mentions it, however far.
    pub fn reshaped(&self, new: &[Definition]) -> BTreeSet<String> {
        let new = flat(new);
        let is_same = |item: &&Definition| self.0.iter().any(|(_, old)| old.key == item.key && old.tokens == item.tokens);
        let changed = new.iter().filter(|item| item.shapes && !is_same(item));
        let mut names: BTreeSet<String> = changed.flat_map(|item| item.provides.clone()).collect();
        let all: Vec<&Definition> = self.0.iter().map(|(_, item)| item).chain(new).filter(|item| item.shapes).collect();
        loop {
            let reached = all.iter().filter(|item| !item.mentions.is_disjoint(&names));
            let more: Vec<String> = reached.flat_map(|item| item.provides.clone()).filter(|name| !names.contains(name)).collect();
            if more.is_empty() {
                return names;
            }
            names.extend(more);
        }
    }

    /// Methods, fields and variants of a type of the notebook.
    pub fn members(&self, ty: &str) -> BTreeSet<String> {
        let named = |item: &&Definition| item.key == format!("type {ty}") || item.key.ends_with(&format!("for {ty}"));
        self.0.iter().map(|(_, item)| item).filter(named).flat_map(|item| item.members.clone()).collect()
    }

    /// What an imported name stands for.
    pub fn imported(&self, name: &str) -> Option<String> {
        let import = self.0.iter().map(|(_, item)| item).find(|item| item.key == format!("use {name}"))?;
        let Wording::Made(text) = &import.wording else { return None };
        let path = text.strip_prefix("use ")?.trim_end_matches(';').trim_start_matches("::");
        Some(path.split(" as ").next().unwrap_or(path).to_owned())
    }

    /// The words of an item, with the number of its cell.
    pub fn text_of(&self, name: &str, texts: &BTreeMap<usize, String>) -> Option<(usize, String)> {
        let (cell, item) = self.0.iter().find(|(_, item)| item.provides.contains(name))?;
        match &item.wording {
            Wording::Own(range) => Some((*cell, texts.get(cell)?.get(range.clone())?.to_owned())),
            Wording::Made(text) => Some((*cell, text.clone())),
        }
    }

    /// The names of all items, for completion, each with the key that says what it is.
    pub fn names(&self) -> impl Iterator<Item = (&str, &Definition)> {
        self.0.iter().flat_map(|(_, item)| item.provides.iter().map(move |name| (name.as_str(), item)))
    }
}

/// Imports name by name, everything else as it is.
fn flat(items: &[Definition]) -> Vec<&Definition> {
    let parts = |item: &'_ Definition| -> bool { item.leaves.is_empty() };
    items.iter().flat_map(|item| if parts(item) { vec![item] } else { item.leaves.iter().collect() }).collect()
}

fn replaces(new: &Definition, old: &Definition) -> bool {
    if new.key == old.key {
        let both_share_nothing = new.key.starts_with("impl ") && !new.members.is_empty() && new.members.is_disjoint(&old.members);
        return !both_share_nothing;
    }
    // An import and an item of one name cannot stand beside each other.
    let imports = new.key.starts_with("use ") != old.key.starts_with("use ");
    let named = |item: &Definition| ["use ", "type ", "value "].iter().any(|kind| item.key.starts_with(kind));
    imports && named(new) && named(old) && !new.provides.is_disjoint(&old.provides)
}

#[cfg(test)]
mod tests {
    use super::super::super::cell::parse;
    use super::*;

    fn kept(cells: &[&str]) -> Items {
        let mut items = Items::default();
        for (index, text) in cells.iter().enumerate() {
            items = items.with(index + 1, &parse(index + 1, text).expect("a cell").items);
        }
        items
    }

    fn reshaped(cells: &[&str], new: &str) -> Vec<String> {
        let new = parse(9, new).expect("a cell").items;
        kept(cells).reshaped(&new).into_iter().collect()
    }

    #[test]
    fn a_later_item_replaces_one_of_its_name() {
        let keys = |cells: &[&str]| kept(cells).iter().map(|(cell, item)| (*cell, item.key.clone())).collect::<Vec<_>>();
        assert_eq!(keys(&["fn f() {}", "fn f() { g() }"]), [(2, "value f".into())]);
        assert_eq!(keys(&["use a::{b, c};", "use d::b;"]), [(1, "use c".into()), (2, "use b".into())]);
        assert_eq!(keys(&["use a::f;", "fn f() {}"]), [(2, "value f".into())]);
        assert_eq!(keys(&["struct A;", "impl A { fn x() {} }", "impl A { fn y() {} }"]).len(), 3);
        assert_eq!(keys(&["struct A;", "impl A { fn x() {} }", "impl A { fn x() {} fn y() {} }"]).len(), 2);
    }

    #[test]
    fn a_change_reaches_every_type_that_holds_it() {
        let cells = ["struct A(u8);", "struct B { a: A }", "type C = Vec<B>;", "struct D;", "fn f(a: A) {}"];
        assert_eq!(reshaped(&cells, "struct A(u64);"), ["A", "B", "C"]);
        assert!(reshaped(&cells, "struct A(u8);").is_empty(), "the same tokens change nothing");
        assert_eq!(reshaped(&["const N: usize = 2;", "struct V([f32; N]);"], "const N: usize = 3;"), ["N", "V"]);
        assert!(reshaped(&["struct A;", "impl A { fn x() {} }"], "impl A { fn x() { y() } }").is_empty());
        assert_eq!(reshaped(&["use a::T;", "struct S(T);"], "use b::T;"), ["S", "T"]);
    }
}
