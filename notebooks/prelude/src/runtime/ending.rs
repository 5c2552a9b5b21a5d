//! The run of a cell's body, and how it ended.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::{Value, json};

use super::failure::Fail;
use super::interrupt::{self, Interrupted};
use super::panics::{self, Noted, Place};

/// How a cell ended, as it is told to the engine.
#[derive(Debug, Default)]
pub(super) enum Ending {
    #[default]
    Done,
    Error {
        causes: Vec<String>,
        place: Place,
    },
    Panic {
        message: String,
        noted: Noted,
    },
    Interrupted {
        place: Option<Place>,
    },
    Lost {
        name: String,
        message: String,
    },
}

thread_local! {
    static ENDING: RefCell<Ending> = RefCell::default();
}

/// Runs the whole of a cell, so that no panic leaves it: what a variable's `drop` does is no cell's business.
pub fn guard(cell: impl FnOnce()) {
    end(Ending::Done);
    interrupt::reset();
    panics::watch();
    if let Err(payload) = catch_unwind(AssertUnwindSafe(cell)) {
        end(of_panic(payload));
    }
    interrupt::reset();
}

/// Runs a cell's body; true where it came to its end.
///
/// An error that `?` met, a panic and an interruption are caught, so that the variables outside the body survive.
pub fn run(body: impl FnOnce() -> Result<(), Fail>) -> bool {
    let ending = match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => Ending::Done,
        Ok(Err(fail)) => fail.into_ending(),
        Err(payload) => of_panic(payload),
    };
    let done = matches!(ending, Ending::Done);
    end(ending);
    done
}

/// Notes how the cell ended.
pub(super) fn end(ending: Ending) {
    ENDING.with_borrow_mut(|kept| *kept = ending);
}

/// How the last cell ended, for the engine.
pub(super) fn report() -> Value {
    match ENDING.take() {
        Ending::Done => json!({ "kind": "done" }),
        Ending::Error { causes, place } => json!({ "kind": "error", "causes": causes, "at": { "place": place.json() } }),
        Ending::Panic { message, noted } => json!({ "kind": "panic", "message": message, "at": noted.json() }),
        Ending::Interrupted { place } => json!({ "kind": "interrupted", "at": { "place": place.as_ref().map(Place::json) } }),
        Ending::Lost { name, message } => json!({ "kind": "lost", "name": name, "message": message }),
    }
}

fn of_panic(payload: Box<dyn Any + Send>) -> Ending {
    if payload.is::<Interrupted>() {
        return Ending::Interrupted { place: None };
    }
    let noted = panics::noted();
    let message = match payload.downcast_ref::<&str>() {
        Some(text) => (*text).to_owned(),
        None => payload.downcast_ref::<String>().cloned().unwrap_or_else(|| "a value that is no text".to_owned()),
    };
    // A payload's own drop may panic; it is not worth a second catch.
    std::mem::forget(payload);
    Ending::Panic { message, noted }
}
