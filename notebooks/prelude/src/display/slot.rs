//! A place below the cell whose contents can be replaced.

use std::any::Any;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::{Rendering, any, nameless};
use crate::runtime;

static NEXT: AtomicU64 = AtomicU64::new(0);

/// A place below the cell: what is shown in it replaces what was there.
///
/// ```
/// let slot = pellucid::display::Slot::new();
/// slot.show(&image::RgbImage::new(4, 4));
/// slot.show(&image::RgbImage::new(8, 8)); // in the place of the first
/// ```
#[derive(Debug)]
pub struct Slot {
    id: String,
    begun: AtomicBool,
}

impl Slot {
    /// A place of its own, empty until something is shown.
    pub fn new() -> Self {
        // The process keeps the identity apart from those of a kernel before this one.
        let id = format!("pellucid-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        Self { id, begun: AtomicBool::new(false) }
    }

    /// Shows a value here.
    pub fn show<T: Any>(&self, value: &T) {
        self.put(&any::rendering_of(value).unwrap_or_else(nameless::<T>));
    }

    /// Shows a rendering here.
    pub fn put(&self, rendering: &Rendering) {
        let kind = if self.begun.swap(true, Ordering::Relaxed) { "update" } else { "display" };
        runtime::frame(kind, Some(&self.id), rendering.clone().into_bundle());
    }
}

impl Default for Slot {
    fn default() -> Self {
        Self::new()
    }
}
