//! Imports, name by name: a later cell may import one of them from elsewhere.

use quote::ToTokens;
use syn::{Item, ItemUse, UseTree};

use super::{Definition, Wording};

/// An import for every name that this one makes.
pub fn leaves(import: &ItemUse) -> Vec<Definition> {
    let start = if import.leading_colon.is_some() { "::" } else { "" };
    let mut leaves = Vec::new();
    walk(&import.tree, start.to_owned(), &mut leaves);
    leaves.into_iter().filter_map(|(text, name)| leaf(&text, name)).collect()
}

/// Adds the text of each leaf, with its name where it makes one.
fn walk(tree: &UseTree, path: String, leaves: &mut Vec<(String, Option<String>)>) {
    let whole = || path.trim_end_matches("::").to_owned();
    match tree {
        UseTree::Path(step) => walk(&step.tree, format!("{path}{}::", step.ident), leaves),
        UseTree::Group(group) => group.items.iter().for_each(|tree| walk(tree, path.clone(), leaves)),
        UseTree::Glob(_) => leaves.push((format!("use {path}*;"), None)),
        UseTree::Name(name) if name.ident == "self" => {
            let last = whole().rsplit("::").next().map(str::to_owned);
            leaves.push((format!("use {};", whole()), last));
        }
        UseTree::Name(name) => leaves.push((format!("use {path}{};", name.ident), Some(name.ident.to_string()))),
        UseTree::Rename(name) => {
            let from = if name.ident == "self" { whole() } else { format!("{path}{}", name.ident) };
            let made = name.rename.to_string();
            leaves.push((format!("use {from} as {made};"), Some(made).filter(|made| made != "_")));
        }
    }
}

fn leaf(text: &str, name: Option<String>) -> Option<Definition> {
    let item: Item = syn::parse_str(text).ok()?;
    let mut leaf = super::blank(&item.to_token_stream(), 0..0);
    leaf.wording = Wording::Made(text.to_owned());
    if let Some(name) = name {
        leaf.key = format!("use {name}");
        leaf.provides.insert(name);
    }
    Some(leaf)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_an_import_of_its_own() {
        let import = "use a::{self, b::{c as d, *}, e::{self as f}, G as _};";
        let Ok(Item::Use(import)) = syn::parse_str(import) else { panic!("an import") };
        let texts: Vec<_> = leaves(&import).into_iter().map(|leaf| (leaf.wording, leaf.provides.into_iter().next())).collect();
        let made = |text: &str, name: Option<&str>| (Wording::Made(text.into()), name.map(str::to_owned));
        let expected = [
            made("use a;", Some("a")),
            made("use a::b::c as d;", Some("d")),
            made("use a::b::*;", None),
            made("use a::e as f;", Some("f")),
            made("use a::G as _;", None),
        ];
        assert_eq!(texts, expected);
    }
}
