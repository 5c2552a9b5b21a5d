//! Items of cells: functions, types, imports and the like stay for later cells; a later one of the same name replaces.

mod imports;
mod kept;

use std::collections::BTreeSet;
use std::ops::Range;

use quote::ToTokens;
use syn::{ImplItem, Item, ItemImpl, Macro};

use super::names::{in_text, used};
pub use kept::Items;

/// An item of a cell.
#[derive(Clone, Debug)]
pub struct Definition {
    /// What it is, such that two of one key cannot stand beside each other.
    pub key: String,
    /// The names it makes.
    pub provides: BTreeSet<String>,
    /// The names that occur in it.
    pub mentions: BTreeSet<String>,
    /// Its tokens, by which it is told whether it changed.
    pub tokens: String,
    /// Whether a change of it can change how values lie in memory.
    pub shapes: bool,
    /// Fields, variants, or methods of an inherent `impl`: two such blocks may stand beside each other when they share none.
    pub members: BTreeSet<String>,
    /// Whether it must stand before what uses it.
    pub is_macro: bool,
    /// Its text.
    pub wording: Wording,
    /// Where its loops can be interrupted, in bytes of its cell.
    pub loops: Vec<usize>,
    /// An import of several names, one by one.
    pub leaves: Vec<Definition>,
}

/// Where the text of an item comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Wording {
    /// A range of the cell's own text.
    Own(Range<usize>),
    /// Made from it.
    Made(String),
}

/// The definition of an item that stands in this range of its cell.
pub fn of(item: &Item, range: Range<usize>) -> Definition {
    let mut definition = named(item, range);
    match item {
        Item::Use(import) => definition.leaves = imports::leaves(import),
        Item::Impl(block) => of_impl(block, &mut definition),
        Item::Macro(call) => {
            definition.is_macro = true;
            match &call.ident {
                Some(name) => definition.key = format!("macro {name}"),
                // Whatever such a call makes, its names are among those it was given.
                None => definition.provides = definition.mentions.clone(),
            }
        }
        Item::Struct(item) => definition.members = item.fields.iter().filter_map(|field| Some(field.ident.as_ref()?.to_string())).collect(),
        Item::Enum(item) => definition.members = item.variants.iter().map(|variant| variant.ident.to_string()).collect(),
        // What stands inside is named by paths through the module.
        Item::Mod(module) => definition.provides = [module.ident.to_string()].into(),
        _ => {}
    }
    definition
}

/// The definition of a macro's call that makes items.
pub fn of_macro(call: &Macro, range: Range<usize>) -> Definition {
    let mut definition = blank(call, range);
    definition.provides = definition.mentions.clone();
    definition
}

fn named(item: &Item, range: Range<usize>) -> Definition {
    let (kind, name, shapes) = match item {
        Item::Const(item) => ("value", Some(&item.ident), true),
        Item::Static(item) => ("value", Some(&item.ident), false),
        Item::Fn(item) => ("value", Some(&item.sig.ident), item.sig.constness.is_some()),
        Item::Struct(item) => ("type", Some(&item.ident), true),
        Item::Enum(item) => ("type", Some(&item.ident), true),
        Item::Union(item) => ("type", Some(&item.ident), true),
        Item::Type(item) => ("type", Some(&item.ident), true),
        Item::Trait(item) => ("type", Some(&item.ident), true),
        Item::TraitAlias(item) => ("type", Some(&item.ident), true),
        Item::Mod(item) => ("type", Some(&item.ident), true),
        Item::ExternCrate(item) => ("type", Some(&item.ident), true),
        Item::Macro(item) => ("macro", item.ident.as_ref(), true),
        _ => ("", None, false),
    };
    let mut definition = blank(item, range);
    definition.shapes = shapes;
    if let Some(name) = name {
        definition.key = format!("{kind} {name}");
        definition.provides.insert(name.to_string());
    }
    definition
}

fn blank(tokens: &impl ToTokens, range: Range<usize>) -> Definition {
    let mut mentions = BTreeSet::new();
    used(tokens, &mut mentions);
    let text = tokens.to_token_stream().to_string();
    Definition {
        key: text.clone(),
        provides: BTreeSet::new(),
        mentions,
        tokens: text,
        shapes: true,
        members: BTreeSet::new(),
        is_macro: false,
        wording: Wording::Own(range),
        loops: Vec::new(),
        leaves: Vec::new(),
    }
}

/// Methods do not change how values lie in memory; associated types and constants can.
fn of_impl(block: &ItemImpl, definition: &mut Definition) {
    let generics = block.generics.to_token_stream();
    let of_trait = block.trait_.as_ref().map(|(path, _)| path.to_token_stream().to_string());
    let own = block.self_ty.to_token_stream();
    definition.key = format!("impl {generics} {} for {own}", of_trait.clone().unwrap_or_default());
    let mut shaping = String::new();
    for item in &block.items {
        match item {
            ImplItem::Fn(function) => drop(definition.members.insert(function.sig.ident.to_string())),
            other => shaping.push_str(&other.to_token_stream().to_string()),
        }
    }
    if of_trait.is_some() {
        definition.members.clear();
    }
    definition.shapes = !shaping.is_empty();
    if definition.shapes {
        definition.provides = in_text(&own.to_string());
        definition.tokens = shaping;
    }
}
