//! The run of a compiled cell, and what stays of it: variables, items, or the story of how it failed.

use std::process::ExitStatus;

use serde_json::{Value, json};

use super::Direct;
use super::execute::Ready;
use super::places;
use super::process;
use super::render;
use super::running::{self, Job, Ran};
use super::source::Spot;
use super::verdict;
use super::write::symbol;
use crate::engine::{CellError, Event, Outcome};

const MOST_CALLERS: usize = 8;

impl Direct {
    /// Runs a cell that is compiled.
    pub(super) fn run(&mut self, ready: &Ready, output: &mut dyn FnMut(Event)) -> Outcome {
        self.warn(ready, output);
        self.drop_reshaped(ready, output);
        let number = ready.cell.number;
        self.sources.insert(number, ready.source.clone());
        let library = self.compiler.library(number);
        let (library, symbol) = (library.display().to_string(), symbol(number));
        let job = Job { library: &library, symbol: &symbol };
        let ran = match self.process() {
            Ok(()) => match self.process.as_mut() {
                Some(process) => running::run(process, &job, &self.interrupts, output),
                None => Ran::Died(None),
            },
            Err(error) => return Outcome::Failed(verdict::error("Died", format!("the process of cells could not be started: {error}"))),
        };
        self.items = self.items.with(number, &ready.cell.items);
        match ran {
            Ran::Back(ending) => self.come_back(ready, &ending),
            Ran::Died(status) => self.bury(number, status),
        }
    }

    fn come_back(&mut self, ready: &Ready, ending: &Value) -> Outcome {
        let number = ready.cell.number;
        for name in &ready.plan.moved {
            self.variables.forget(name, &format!("was moved in cell {number}"));
        }
        if ending["kind"] == "done" {
            self.keep_new(ready);
            return Outcome::Done;
        }
        if let Some(name) = ending["name"].as_str() {
            self.variables.forget(name, "is no longer what it was");
        }
        Outcome::Failed(self.tell(ending))
    }

    /// What the cell made is there for later cells; of what is not, they can say why.
    fn keep_new(&mut self, ready: &Ready) {
        let mut brief = Vec::new();
        for name in ready.cell.bindings.iter().map(|binding| &binding.name) {
            match (ready.new.get(name), ready.plan.brief.get(name)) {
                (Some(variable), _) => self.variables.keep(name, variable.clone()),
                (None, Some(why)) => {
                    self.variables.lose(name, why.clone());
                    brief.push(name);
                }
                (None, None) => self.variables.lose(name, format!("was moved in cell {}", ready.cell.number)),
            }
        }
        self.release(&brief);
    }

    /// Ends the life of values that no cell can reach any more. A process that is gone holds none.
    fn release(&mut self, names: &[&String]) {
        if let Some(process) = self.process.as_mut().filter(|_| !names.is_empty()) {
            let _ = process.send(&json!({ "forget": names }));
        }
    }

    /// How a cell ended, with the line of the cell where it did.
    fn tell(&self, ending: &Value) -> CellError {
        let causes: Vec<&str> = ending["causes"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let message = ending["message"].as_str().or(causes.first().copied()).unwrap_or_default().to_owned();
        let (name, label) = match ending["kind"].as_str() {
            Some("error") => ("Error", "this `?` met the error"),
            Some("panic") => ("Panic", "panicked here"),
            Some("interrupted") => ("Interrupted", "interrupted here"),
            _ => ("Error", ""),
        };
        let message = if name == "Interrupted" { "the cell was interrupted; variables are kept".to_owned() } else { message };
        let places = places::of(&ending["at"], &self.sources);
        let note = places.first().and_then(|&spot| render::rest_of_line(spot, &self.texts, label));
        let mut traceback = vec![render::at(name, &message, note.as_ref(), &self.texts)];
        traceback.extend(causes.iter().skip(1).map(|cause| format!("   caused by: {cause}")));
        traceback.extend(places.iter().skip(1).take(MOST_CALLERS).map(|spot| format!("   called from {}", self.line(*spot))));
        if note.is_none() {
            let place = &ending["at"]["place"];
            traceback.extend(place["file"].as_str().map(|file| format!("   in {file}:{}", place["line"])));
        }
        CellError { name: name.to_owned(), message, traceback }
    }

    fn line(&self, spot: Spot) -> String {
        let text = self.texts.get(&spot.cell).map_or("", String::as_str);
        let before = text.get(..spot.offset).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        format!("cell {}, line {line}: {}", spot.cell, text.lines().nth(line - 1).unwrap_or_default().trim())
    }

    /// The process is gone with all values; what was defined stays.
    fn bury(&mut self, number: usize, status: Option<ExitStatus>) -> Outcome {
        self.process = None;
        let what = status.map_or_else(|| "its end is not known".to_owned(), process::cause);
        let lost = self.variables.live.keys().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        self.variables.forget_all(&format!("was lost when the process of cells ended in cell {number}"));
        let lost = if lost.is_empty() { "there were no variables to lose".to_owned() } else { format!("these variables are gone: {lost}") };
        let message = format!("the process of cells ended: {what}; {lost}; functions, types and imports are kept");
        // The next cell finds a process that is ready; a failure is told there.
        let _ = self.process();
        Outcome::Failed(verdict::error("Died", message))
    }

    /// Results that nobody looked at are worth a word.
    fn warn(&self, ready: &Ready, output: &mut dyn FnMut(Event)) {
        for warning in ready.warnings.iter().filter(|warning| warning.code() == "unused_must_use") {
            output(Event::Stderr(format!("{}\n", render::diagnostic(warning, &ready.source, &self.texts, &[]))));
        }
    }

    /// A value of a type that no longer means the same must not be touched again.
    fn drop_reshaped(&mut self, ready: &Ready, output: &mut dyn FnMut(Event)) {
        let names = self.variables.that_hold(&self.items.reshaped(&ready.cell.items));
        if names.is_empty() {
            return;
        }
        for name in &names {
            self.variables.forget(name, &format!("was dropped in cell {}, which changes its type", ready.cell.number));
        }
        self.release(&names.iter().collect::<Vec<_>>());
        let list = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        output(Event::Stderr(format!("Dropped {list}: this cell changes what their types are made of. Make them again.\n")));
    }
}
