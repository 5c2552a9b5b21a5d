//! Changed kernels that the tests must catch.

use crate::emulator::{Library, Schedule, source};
use crate::memory::Storage;
use crate::queue::Emulated;

/// A change of one place in a kernel's source.
#[derive(Debug, Clone, Copy)]
pub struct Mutant {
    /// What is broken.
    pub what: &'static str,
    /// The text that is replaced; it stands once in the source.
    pub from: &'static str,
    /// What replaces it.
    pub to: &'static str,
}

/// Runs `case` under every schedule; fails with the first thing that is wrong.
pub fn under_all_schedules(case: impl Fn(Schedule) -> Result<(), String>) -> Result<(), String> {
    Schedule::ALL.into_iter().try_for_each(|schedule| case(schedule).map_err(|error| format!("{schedule:?}: {error}")))
}

/// Fails unless `case`, which passes on the kernels of `file`, fails on every mutant under at least one schedule.
#[track_caller]
pub fn assert_caught(file: &str, storage: Storage, mutants: &[Mutant], case: impl Fn(&Library, Schedule) -> Result<(), String>) {
    let Some(library) = Library::of(file, storage) else { return };
    under_all_schedules(|schedule| case(&library, schedule)).expect("the kernel itself is right");
    for Mutant { what, from, to } in mutants {
        let text = source(file);
        assert_eq!(text.matches(from).count(), 1, "{file}: `{from}` of the mutant \"{what}\" does not stand there once");
        let library = Library::compile(file, &text.replace(from, to), storage).expect("there is a compiler");
        let caught = under_all_schedules(|schedule| case(&library, schedule));
        println!("{file}, {what}: {}", caught.as_ref().err().map_or("NOT CAUGHT", String::as_str));
        assert!(caught.is_err(), "{file}: the mutant \"{what}\" passes");
    }
}

/// The same for a case that launches on a device.
#[track_caller]
pub fn assert_caught_on(file: &str, storage: Storage, mutants: &[Mutant], case: impl Fn(&Emulated) -> Result<(), String>) {
    let on = |library: Option<Library>, schedule| {
        let queue = Emulated::new(schedule).expect("there is a compiler");
        library.into_iter().for_each(|library| queue.replace(file, storage, library));
        case(&queue)
    };
    if Library::of(file, storage).is_none() {
        return;
    }
    under_all_schedules(|schedule| on(None, schedule)).expect("the kernel itself is right");
    for Mutant { what, from, to } in mutants {
        let text = source(file);
        assert_eq!(text.matches(from).count(), 1, "{file}: `{from}` of the mutant \"{what}\" does not stand there once");
        let text = text.replace(from, to);
        let caught = under_all_schedules(|schedule| on(Library::compile(file, &text, storage), schedule));
        println!("{file}, {what}: {}", caught.as_ref().err().map_or("NOT CAUGHT", String::as_str));
        assert!(caught.is_err(), "{file}: the mutant \"{what}\" passes");
    }
}
