//! How values show themselves.

use serde_json::Map;

use crate::runtime::frame;

/// Shows a value as the result of a cell; `()` is silent.
pub fn show<T: std::fmt::Debug + 'static>(value: &T) {
    if std::any::TypeId::of::<T>() == std::any::TypeId::of::<()>() {
        return;
    }
    frame("result", None, Map::from_iter([("text/plain".to_owned(), format!("{value:?}").into())]));
}
