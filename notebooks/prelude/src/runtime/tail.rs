//! The value of a cell's last expression. Method resolution picks the first of these that the type can do:
//! its own `evcxr_display`, [`ShowDebug`], [`ShowName`].

use std::fmt::Debug;

use serde_json::Map;

use super::frames::{Kind, frame};

/// Values that can be written with `{:?}`, and those that `display` knows better.
pub trait ShowDebug {
    /// Shows the value; the name is the one by which other crates show theirs.
    fn evcxr_display(&self);
}

impl<T: Debug + 'static> ShowDebug for T {
    fn evcxr_display(&self) {
        crate::display::show(self);
    }
}

/// Values without `Debug`: their type is all that can be told.
pub trait ShowName {
    /// Shows the type's name and what to do about it.
    fn evcxr_display(&self);
}

impl<T> ShowName for &T {
    fn evcxr_display(&self) {
        let name = std::any::type_name::<T>().rsplit_once("pellucid_cell::").map_or(std::any::type_name::<T>(), |(_, name)| name);
        text(format!("{name} (it has no Debug: write #[derive(Debug)] above your own types to see what is inside)"));
    }
}

/// Shows a value that borrows from others; only its `{:?}` is known.
pub fn show_debug(value: &(impl Debug + ?Sized)) {
    text(format!("{value:?}"));
}

fn text(text: String) {
    frame(Kind::Result, None, Map::from_iter([("text/plain".to_owned(), text.into())]));
}
