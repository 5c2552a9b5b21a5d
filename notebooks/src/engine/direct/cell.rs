//! A cell, taken apart: items, statements, the expression at its end, and what the statements name.

use std::collections::BTreeSet;
use std::ops::Range;

use proc_macro2::extra::invalidate_current_thread_spans;
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Attribute, Block, Expr, Item, Local, Meta, Pat, Stmt, Type};

use super::items::{self, Definition, Wording};
use super::names::{bound, used};
use super::visits::{Visits, visit};

/// A cell in its parts; ranges are bytes of its text.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    /// Its number, from 1.
    pub number: usize,
    /// Its text; lines with commands are blank.
    pub text: String,
    /// Attributes for the whole of it: `#![feature(…)]`.
    pub attributes: Vec<Range<usize>>,
    /// Functions, types, imports and the like.
    pub items: Vec<Definition>,
    /// Everything else but the last expression.
    pub statements: Vec<Range<usize>>,
    /// The expression whose value is shown.
    pub tail: Option<Range<usize>>,
    /// Variables that its `let`s make, in order.
    pub bindings: Vec<Binding>,
    /// Every name that occurs in its statements, inside format strings too.
    pub used: BTreeSet<String>,
    /// Where loops and `.await` stand.
    pub visits: Visits,
    /// Compiled with optimisation: `//!opt`.
    pub optimised: bool,
}

/// A variable that a `let` makes.
#[derive(Clone, Debug, PartialEq)]
pub struct Binding {
    /// Its name.
    pub name: String,
    /// Whether it is `mut`.
    pub mutable: bool,
    /// Its type, where the cell says it in full.
    pub ty: Option<String>,
}

/// Takes a cell apart.
///
/// # Errors
///
/// Where it is no sequence of statements and items; the compiler says it better.
pub fn parse(number: usize, text: &str) -> syn::Result<Cell> {
    let mut cell = Cell { number, text: text.to_owned(), ..Cell::default() };
    let parsed = (|input: ParseStream| Ok((input.call(Attribute::parse_inner)?, input.call(Block::parse_within)?))).parse_str(text);
    if let Ok((attributes, statements)) = &parsed {
        cell.take_attributes(attributes);
        cell.take_statements(statements);
        cell.mark_loops();
    }
    // Without this, every cell that was ever parsed would stay in memory.
    invalidate_current_thread_spans();
    parsed.map(|_| cell)
}

impl Cell {
    fn take_attributes(&mut self, attributes: &[Attribute]) {
        for attribute in attributes {
            match doc(attribute) {
                Some(text) => self.optimised |= text.trim() == "opt",
                None => self.attributes.push(attribute.span().byte_range()),
            }
        }
    }

    fn take_statements(&mut self, statements: &[Stmt]) {
        for (index, statement) in statements.iter().enumerate() {
            let range = statement.span().byte_range();
            visit(statement, &mut self.visits);
            match statement {
                Stmt::Item(item) => self.take_item(item, range),
                Stmt::Macro(call) if ["thread_local", "lazy_static"].iter().any(|name| call.mac.path.is_ident(name)) => {
                    self.items.push(items::of_macro(&call.mac, range));
                }
                _ => {
                    used(statement, &mut self.used);
                    if let Stmt::Local(local) = statement {
                        self.bind(local);
                    }
                    match index + 1 == statements.len() && is_value(statement) {
                        true => self.tail = Some(range),
                        false => self.statements.push(range),
                    }
                }
            }
        }
    }

    /// Loops of a cell can be interrupted, but an optimised cell wants its loops as they are.
    fn mark_loops(&mut self) {
        if self.optimised {
            self.visits.loops.clear();
        }
        for item in &mut self.items {
            let Wording::Own(range) = &item.wording else { continue };
            item.loops = self.visits.loops.iter().copied().filter(|at| range.contains(at)).collect();
        }
    }

    fn take_item(&mut self, item: &Item, range: Range<usize>) {
        self.items.push(items::of(item, range));
    }

    fn bind(&mut self, local: &Local) {
        let ty = match &local.pat {
            Pat::Type(typed) if is_whole(&typed.ty) => Some(self.text[typed.ty.span().byte_range()].to_owned()),
            _ => None,
        };
        for (name, mutable) in bound(&local.pat) {
            // A second `let` of the same name shadows the first.
            self.bindings.retain(|binding| binding.name != name);
            let ty = ty.clone().filter(|_| matches!(&local.pat, Pat::Type(typed) if matches!(*typed.pat, Pat::Ident(_))));
            self.bindings.push(Binding { name, mutable, ty });
        }
    }
}

fn doc(attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(meta) = &attribute.meta else { return None };
    let Expr::Lit(literal) = &meta.value else { return None };
    match &literal.lit {
        syn::Lit::Str(text) if meta.path.is_ident("doc") => Some(text.value()),
        _ => None,
    }
}

/// A last statement whose value is shown.
fn is_value(statement: &Stmt) -> bool {
    match statement {
        Stmt::Expr(Expr::ForLoop(_) | Expr::While(_), _) => false,
        Stmt::Expr(_, None) => true,
        Stmt::Macro(call) => call.semi_token.is_none(),
        _ => false,
    }
}

/// A type that can be written down elsewhere as it stands: nothing is left to the compiler, and no lifetime is.
fn is_whole(ty: &Type) -> bool {
    use quote::ToTokens;
    fn plain(tokens: proc_macro2::TokenStream) -> bool {
        tokens.into_iter().all(|token| match token {
            proc_macro2::TokenTree::Ident(ident) => !["_", "impl", "dyn", "Self"].contains(&ident.to_string().as_str()),
            proc_macro2::TokenTree::Punct(punct) => !['&', '\'', '!'].contains(&punct.as_char()),
            proc_macro2::TokenTree::Group(group) => plain(group.stream()),
            proc_macro2::TokenTree::Literal(_) => true,
        })
    }
    // A path alone may be an alias with a hidden lifetime; the compiler refuses to keep it, which is as it should be.
    plain(ty.to_token_stream())
}
