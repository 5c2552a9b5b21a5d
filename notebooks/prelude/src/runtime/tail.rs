//! The value of a cell's last expression. Method resolution picks the first of these that the type can do:
//! [`ShowDebug`], [`ShowName`].

use std::fmt::Debug;

use serde_json::Map;

use super::frames::frame;

/// A value to show, whatever its type.
#[derive(Debug)]
pub struct Shown<'a, T: ?Sized>(pub &'a T);

/// Values that can be written with `{:?}`, and those that `display` knows better.
pub trait ShowDebug {
    /// Shows the value.
    fn show(&self);
}

impl<T: Debug + 'static> ShowDebug for Shown<'_, T> {
    fn show(&self) {
        crate::display::show(self.0);
    }
}

/// Values without `Debug`: what `display` knows of their type.
pub trait ShowName {
    /// Shows what can be shown.
    fn show(&self);
}

impl<T: 'static> ShowName for &Shown<'_, T> {
    fn show(&self) {
        crate::display::show_type(self.0);
    }
}

/// Shows a value that borrows from others; only its `{:?}` is known.
pub fn show_debug(value: &(impl Debug + ?Sized)) {
    text(format!("{value:?}"));
}

fn text(text: String) {
    frame("result", None, Map::from_iter([("text/plain".to_owned(), text.into())]));
}
