//! How values show themselves: pictures, tables and charts, each with plain text for whoever reads text.
//!
//! | shown | as |
//! |---|---|
//! | pictures, heat maps, [`Batch`](xai::Batch) | PNG |
//! | [`Explanation`](crate::Explanation), [`Attribution`](xai::Attribution), [`AttentionSheet`](crate::AttentionSheet) | HTML with the picture, its scale and its recipe |
//! | data frames, arrays, tensors, metrics | HTML table of a glimpse |
//! | [`plotly::Plot`] | plotly's JSON, and a drawing of ours for pages that have no plotly |
//! | `Option`, `Result` and `Vec` of these | what is inside |
//! | anything else | its `Debug` text |
//!
//! Nothing asks another host, nothing runs a script of its own (but kinds of charts that our SVG does not draw), and every size is bounded.

mod any;
mod array;
mod attention_sheet;
mod attribution;
mod chart;
mod explanation;
pub mod figure;
mod frame;
mod html;
mod metrics;
mod picture;
mod rendering;
mod slot;
mod tensor;

use std::any::{Any, type_name};
use std::fmt::Debug;

use crate::runtime;
pub use any::rendering_of;
pub use html::escaped;
pub use rendering::Rendering;
pub use slot::Slot;

/// Shows a value now, as often in a cell as one likes; for values without `Debug` that are not in the table above, see [`display!`](crate::display!).
///
/// ```
/// use pellucid::prelude::*;
/// let lesion = drawn::lesion(1, LesionClass::Nevus);
/// display(&lesion.picture);
/// display(&lesion);
/// ```
pub fn display<T: Any>(value: &T) {
    put("display", any::rendering_of(value).unwrap_or_else(|| nameless::<T>()));
}

/// Shows the value of a cell's last expression; `()` shows nothing.
pub fn show<T: Debug + 'static>(value: &T) {
    Shown(value).put("result");
}

/// As [`show`], for values without `Debug`: charts and lazy frames have none; of others only the type can be told.
pub fn show_type<T: 'static>(value: &T) {
    (&Shown(value)).put("result");
}

/// Shows values now: what [`display`](fn@display::display) does, and `Debug` text for everything else.
#[macro_export]
macro_rules! display {
    ($($value:expr),+ $(,)?) => {{
        #[allow(unused_imports)]
        use $crate::display::{ByDebug as _, ByType as _};
        $((&$crate::display::Shown(&$value)).put("display");)+
    }};
}

/// Shows the value of a cell's last expression, whether it has `Debug` or not.
#[macro_export]
macro_rules! show {
    ($value:expr) => {{
        #[allow(unused_imports)]
        use $crate::display::{ByDebug as _, ByType as _};
        (&$crate::display::Shown(&$value)).put("result");
    }};
}

/// A value on its way to be shown; which of the two traits below answers is decided by whether it has `Debug`.
#[doc(hidden)]
pub struct Shown<'a, T>(pub &'a T);

#[doc(hidden)]
pub trait ByDebug {
    fn put(&self, kind: &str);
}

#[doc(hidden)]
pub trait ByType {
    fn put(&self, kind: &str);
}

impl<T: Debug + 'static> ByDebug for Shown<'_, T> {
    fn put(&self, kind: &str) {
        put(kind, any::rendering(self.0, &|| rendering::bounded_debug(&self.0)));
    }
}

impl<T: 'static> ByType for &Shown<'_, T> {
    fn put(&self, kind: &str) {
        put(kind, any::rendering(self.0, &|| nameless::<T>().plain));
    }
}

/// What is said of a value that has no text of its own.
fn nameless<T>() -> Rendering {
    let name = type_name::<T>();
    let name = name.rsplit_once("pellucid_cell::").map_or(name, |(_, name)| name);
    Rendering::text(format!("{name} (it has no Debug: write #[derive(Debug)] above your own types to see what is inside)"))
}

fn put(kind: &str, rendering: Rendering) {
    if !rendering.is_silent() {
        runtime::frame(kind, None, rendering.into_bundle());
    }
}
