//! What `?` at the top of a cell turns every error into.

use std::error::Error;
use std::panic::Location;

use super::ending::Ending;
use super::interrupt::{Interrupted, interrupted};
use super::panics::Place;

/// Causes that are told; an error that is its own cause has no end.
const MOST_CAUSES: usize = 32;

/// An error that ended a cell, with its causes and the place of the `?`.
///
/// ```
/// use pellucid::runtime::Fail;
///
/// let whole_number = || -> Result<i32, Fail> { Ok("12".parse::<i32>()?) };
/// assert!(whole_number().is_ok());
/// let text = || -> Result<i32, Fail> { Err("an error may be plain text")? };
/// assert!(text().is_err());
/// ```
#[derive(Debug)]
pub struct Fail {
    causes: Vec<String>,
    place: Place,
    interrupted: bool,
}

impl Fail {
    pub(super) fn into_ending(self) -> Ending {
        match self.interrupted {
            true => Ending::Interrupted { place: Some(self.place) },
            false => Ending::Error { causes: self.causes, place: self.place },
        }
    }
}

impl<E: Into<Box<dyn Error>>> From<E> for Fail {
    #[track_caller]
    fn from(error: E) -> Self {
        let place = Place::of(Location::caller());
        let error: Box<dyn Error> = error.into();
        let mut next = Some(&*error);
        // Libraries have words of their own for being stopped: what ends a cell after an interrupt is the interrupt.
        let (mut causes, mut interrupted) = (Vec::new(), interrupted());
        while let Some(error) = next.filter(|_| causes.len() < MOST_CAUSES) {
            interrupted |= error.is::<Interrupted>();
            causes.push(error.to_string());
            next = error.source();
        }
        // Many errors repeat their cause in their own words.
        causes.dedup();
        Self { causes, place, interrupted }
    }
}
