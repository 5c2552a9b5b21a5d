//! The variables of a notebook, as the engine knows them: the values live in the process of the cells.

use std::collections::{BTreeMap, BTreeSet};

use syn::visit::Visit;

/// A variable that later cells see.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    /// Its type, written so that any later cell can name it.
    pub ty: String,
    /// Whether it was declared `mut`.
    pub mutable: bool,
    /// The cell that made it.
    pub cell: usize,
}

/// Variables by name, and why others are no longer there.
#[derive(Clone, Debug, Default)]
pub struct Variables {
    /// What later cells see.
    pub live: BTreeMap<String, Variable>,
    /// What was there once, with what happened to it.
    pub gone: BTreeMap<String, String>,
}

impl Variables {
    /// Adds a variable, or replaces the one of its name.
    pub fn keep(&mut self, name: &str, variable: Variable) {
        self.gone.remove(name);
        self.live.insert(name.to_owned(), variable);
    }

    /// Says why there is no variable of this name, whether there was one or not.
    pub fn lose(&mut self, name: &str, why: String) {
        self.live.remove(name);
        self.gone.insert(name.to_owned(), why);
    }

    /// Forgets a variable; `why` completes a sentence that begins with its name.
    pub fn forget(&mut self, name: &str, why: &str) {
        if self.live.remove(name).is_some() {
            self.gone.insert(name.to_owned(), why.to_owned());
        }
    }

    /// Forgets all.
    pub fn forget_all(&mut self, why: &str) {
        for name in std::mem::take(&mut self.live).into_keys() {
            self.gone.insert(name, why.to_owned());
        }
    }

    /// The variables whose type names one of these items.
    pub fn that_hold(&self, names: &BTreeSet<String>) -> Vec<String> {
        let holds = |variable: &Variable| !names.is_empty() && mentions(&variable.ty, names);
        self.live.iter().filter(|(_, variable)| holds(variable)).map(|(name, _)| name.clone()).collect()
    }
}

/// True where a type is made from one of these names; `dyn Any` may be made from anything.
fn mentions(ty: &str, names: &BTreeSet<String>) -> bool {
    struct Paths<'a>(&'a BTreeSet<String>, bool);
    impl<'ast> Visit<'ast> for Paths<'_> {
        fn visit_path(&mut self, path: &'ast syn::Path) {
            let first = path.segments.first().filter(|_| path.leading_colon.is_none());
            self.1 |= first.is_some_and(|first| self.0.contains(&first.ident.to_string()));
            self.1 |= path.segments.last().is_some_and(|last| last.ident == "Any");
            syn::visit::visit_path(self, path);
        }
    }
    let Ok(ty) = syn::parse_str::<syn::Type>(ty) else { return true };
    let mut paths = Paths(names, false);
    paths.visit_type(&ty);
    paths.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_made_from_the_items_it_names() {
        let names = BTreeSet::from(["Lesion".to_owned(), "vec".to_owned()]);
        assert!(mentions("std::vec::Vec<(Lesion, f64)>", &names));
        assert!(mentions("std::boxed::Box<dyn std::any::Any>", &names));
        assert!(!mentions("std::vec::Vec<f64>", &names), "`vec` of the standard library is no item of a cell");
    }
}
