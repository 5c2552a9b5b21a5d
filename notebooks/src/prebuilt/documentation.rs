//! The index of what the library offers, beside the library.

use std::path::Path;

use super::compile::Product;
use super::gather::{DEPENDENCIES, archive};
use super::resolved::{Member, Resolved};
use super::source::Recipe;
use crate::api::{Api, Documented, add, document};

/// The file of the index.
pub const API: &str = "api.json";

/// Documents the checkout's crates that went into the library. Cells run without: a crate that rustdoc refuses is left out, and completion knows less.
pub fn write(recipe: &Recipe, resolved: &Resolved, products: &[Product], folder: &Path) {
    let mut api = Api::default();
    let built = |member: &Member| products.iter().any(|product| product.package == member.id && product.kind != "proc-macro");
    for member in resolved.members().into_iter().filter(built) {
        let externs = resolved.dependencies(&member.id).into_iter();
        let externs = externs.filter_map(|(name, id)| Some((name, archive(products, &id)?.clone()))).collect();
        let krate = Documented { name: member.name, source: member.source, features: member.features, externs };
        if let Ok(json) = document(&krate, &recipe.toolchain.rustc, &[folder.join(DEPENDENCIES)]) {
            add(&mut api, &json);
        }
    }
    // Without entries there is nothing to complete from.
    if !api.entries.is_empty() {
        let _ = api.write(&folder.join(API));
    }
}
