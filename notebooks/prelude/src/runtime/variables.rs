//! Variables by name, for the thread that runs cells.

use std::any::Any;
use std::cell::RefCell;
use std::collections::HashMap;

use super::ending::{Ending, end};

thread_local! {
    static KEPT: RefCell<HashMap<String, Box<dyn Any>>> = RefCell::default();
}

/// Keeps a variable for later cells; a value of the same name is dropped.
///
/// ```
/// use pellucid::runtime::{holds, put, take};
///
/// put("threshold", 0.5);
/// assert!(holds::<f64>("threshold"));
/// assert_eq!(take::<f64>("threshold"), 0.5);
/// ```
pub fn put<T: 'static>(name: &str, value: T) {
    let boxed: Box<dyn Any> = Box::new(value);
    let replaced = KEPT.with_borrow_mut(|kept| kept.insert(name.to_owned(), boxed));
    // Dropped out of the borrow, for a value may look at the variables while it is dropped.
    drop(replaced);
}

/// True where `name` holds a `T`; the cell has failed where it does not.
pub fn holds<T: 'static>(name: &str) -> bool {
    let found = KEPT.with_borrow(|kept| kept.get(name).map(|value| value.is::<T>()));
    if let Some(true) = found {
        return true;
    }
    let what = if found.is_some() { "has another type than" } else { "does not hold" };
    let expected = std::any::type_name::<T>();
    end(Ending::Lost {
        message: format!("the variable `{name}` {what} `{expected}`; run the cell that makes it again"),
        name: name.to_owned(),
    });
    false
}

/// Takes a variable out.
///
/// # Panics
///
/// Where `name` does not hold a `T`; cells ask [`holds`] first.
pub fn take<T: 'static>(name: &str) -> T {
    let value = KEPT.with_borrow_mut(|kept| kept.remove(name));
    match value.map(|value| value.downcast()) {
        Some(Ok(value)) => *value,
        Some(Err(value)) => {
            KEPT.with_borrow_mut(|kept| kept.insert(name.to_owned(), value));
            panic!("the variable `{name}` is no `{}`", std::any::type_name::<T>())
        }
        None => panic!("there is no variable `{name}`"),
    }
}

/// Drops a variable; an unknown name is nothing to drop.
pub(super) fn forget(name: &str) {
    let dropped = KEPT.with_borrow_mut(|kept| kept.remove(name));
    drop(dropped);
}
