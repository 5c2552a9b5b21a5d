//! What a statement names and what a pattern binds.

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::visit::Visit;
use syn::{Pat, PatIdent};

/// Adds every name in these tokens, and every name that a string might format: `"{loss:.3}"`.
pub fn used(tokens: &impl ToTokens, names: &mut BTreeSet<String>) {
    of_tokens(tokens.to_token_stream(), names);
}

/// Every name in a text of Rust; none where it is no Rust.
pub fn in_text(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    if let Ok(tokens) = text.parse() {
        of_tokens(tokens, &mut names);
    }
    names
}

/// The variables that a pattern binds, with whether they are `mut`.
pub fn bound(pattern: &Pat) -> Vec<(String, bool)> {
    let mut bound = Bound(Vec::new());
    bound.visit_pat(pattern);
    bound.0
}

struct Bound(Vec<(String, bool)>);

impl<'ast> Visit<'ast> for Bound {
    fn visit_pat_ident(&mut self, pattern: &'ast PatIdent) {
        let name = pattern.ident.to_string();
        // `None` and `MAX` in a `let … else` are values, not variables.
        let is_value = name.starts_with(char::is_uppercase) && pattern.subpat.is_none() && pattern.mutability.is_none();
        if !is_value {
            self.0.push((name, pattern.mutability.is_some()));
        }
        syn::visit::visit_pat_ident(self, pattern);
    }

    // A constant's block inside a pattern binds nothing outside.
    fn visit_expr(&mut self, _: &'ast syn::Expr) {}
}

fn of_tokens(tokens: TokenStream, names: &mut BTreeSet<String>) {
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => drop(names.insert(ident.to_string())),
            TokenTree::Group(group) => of_tokens(group.stream(), names),
            TokenTree::Literal(literal) => of_format(&literal.to_string(), names),
            TokenTree::Punct(_) => {}
        }
    }
}

/// The argument's name, and those of width and precision: `{value:width$.precision$}`.
fn of_format(literal: &str, names: &mut BTreeSet<String>) {
    if !literal.ends_with(['"', '#']) {
        return;
    }
    for argument in literal.split('{').skip(1) {
        let argument = argument.split('}').next().unwrap_or_default();
        let words = argument.split(|c: char| !c.is_alphanumeric() && c != '_');
        names.extend(words.filter(|word| word.starts_with(|c: char| c.is_alphabetic() || c == '_')).map(str::to_owned));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_format_strings_count() {
        let names = in_text(r#"println!("{loss:.digits$} {}", net.depth())"#);
        assert!(["loss", "digits", "net"].iter().all(|name| names.contains(*name)), "{names:?}");
        assert!(!names.contains("3"));
    }

    #[test]
    fn patterns_bind_variables_and_no_constants() {
        let pattern = |text: &str| match syn::parse_str::<syn::Stmt>(text).expect("a statement") {
            syn::Stmt::Local(local) => bound(&local.pat),
            other => panic!("no let: {other:?}"),
        };
        assert_eq!(pattern("let (a, mut b) = p;"), [("a".into(), false), ("b".into(), true)]);
        assert_eq!(pattern("let Some(x @ 1..) = y else { return };"), [("x".into(), false)]);
        assert_eq!(pattern("let Point { x, y: [first, ..] } = p;"), [("x".into(), false), ("first".into(), false)]);
        assert_eq!(pattern("let None = y else { return };"), []);
    }
}
