//! How evcxr shows the value of a cell's last expression: it calls `evcxr_display`, and method resolution picks the first trait that can.
//! Values that borrow have neither; evcxr falls back to their `Debug` text.

use std::fmt::Debug;

/// Values with `Debug`, and those that `display` knows better.
pub trait ByDebug {
    /// Shows the value.
    fn evcxr_display(&self);
}

impl<T: Debug + 'static> ByDebug for T {
    fn evcxr_display(&self) {
        crate::display::show(self);
    }
}

/// Values without `Debug`: what `display` knows of their type.
pub trait ByType {
    /// Shows what can be shown.
    fn evcxr_display(&self);
}

impl<T: 'static> ByType for &T {
    fn evcxr_display(&self) {
        crate::display::show_type(*self);
    }
}
