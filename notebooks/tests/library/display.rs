//! Values show themselves by `{:?}` here; the whole library knows better.

use serde_json::Map;

use crate::runtime::frame;

/// Shows a value as the result of a cell; `()` is silent.
pub fn show<T: std::fmt::Debug + 'static>(value: &T) {
    if std::any::TypeId::of::<T>() != std::any::TypeId::of::<()>() {
        frame("result", None, Map::from_iter([("text/plain".to_owned(), format!("{value:?}").into())]));
    }
}

/// A value without `Debug`: its type's name.
pub fn show_type<T: 'static>(_: &T) {
    let name = std::any::type_name::<T>();
    let name = name.rsplit_once("pellucid_cell::").map_or(name, |(_, name)| name);
    let text = format!("{name} (it has no Debug: write #[derive(Debug)] above your own types to see what is inside)");
    frame("result", None, Map::from_iter([("text/plain".to_owned(), text.into())]));
}
