//! What commands do.

use std::time::Instant;

use serde_json::json;

use super::Direct;
use super::commands::{Command, HELP, take};
use super::compiler::Optimisation;
use super::items::Items;
use super::variables::Variables;
use super::verdict;
use crate::engine::{CellError, Event, Outcome};

impl Direct {
    /// Runs a whole cell: its commands, then its Rust.
    pub(super) fn execute_cell(&mut self, code: &str, output: &mut dyn FnMut(Event)) -> Outcome {
        let started = Instant::now();
        let (commands, rust) = match take(code) {
            Ok(parts) => parts,
            Err(error) => return Outcome::Failed(error),
        };
        for command in &commands {
            if let Err(error) = self.obey(command, output) {
                return Outcome::Failed(error);
            }
        }
        let outcome = if rust.trim().is_empty() { Outcome::Done } else { self.execute_rust(&rust, output) };
        if self.shows.types {
            let new = self.variables.live.iter().filter(|(_, variable)| variable.cell == self.count);
            let lines: String = new.map(|(name, variable)| format!("{name}: {}\n", variable.ty)).collect();
            say(&lines, output);
        }
        if self.shows.timing {
            say(&format!("took {:.3} s\n", started.elapsed().as_secs_f64()), output);
        }
        outcome
    }

    fn obey(&mut self, command: &Command, output: &mut dyn FnMut(Event)) -> Result<(), CellError> {
        match command {
            Command::Dependency(text) => self.add_dependency(text, output)?,
            Command::Variables => say(&self.list(), output),
            Command::Type(name) => match self.variables.live.get(name) {
                Some(variable) => say(&format!("{name}: {}\n", variable.ty), output),
                None => return Err(verdict::error("CommandError", format!("there is no variable `{name}`; `:vars` lists all"))),
            },
            Command::Types => self.shows.types = !self.shows.types,
            Command::Timing => self.shows.timing = !self.shows.timing,
            Command::Help => say(HELP, output),
            Command::Optimisation(level) => self.optimisation = if *level == 0 { Optimisation::None } else { Optimisation::Full },
            Command::Clear => self.clear(),
            Command::Restart => {
                self.clear();
                self.process = None;
                self.dependencies.clear();
                (self.compiler.externs, self.compiler.search) = (Vec::new(), Vec::new());
                self.process().map_err(|error| verdict::error("Died", format!("the process of cells could not be started: {error}")))?;
            }
        }
        Ok(())
    }

    fn clear(&mut self) {
        let names: Vec<&String> = self.variables.live.keys().collect();
        if let Some(process) = self.process.as_mut() {
            // A process that is gone holds no values.
            let _ = process.send(&json!({ "forget": names }));
        }
        self.variables = Variables::default();
        self.items = Items::default();
    }

    fn list(&self) -> String {
        let width = self.variables.live.keys().map(|name| name.chars().count()).max().unwrap_or_default();
        let line = |(name, variable): (&String, &super::variables::Variable)| {
            let mutable = if variable.mutable { "mut " } else { "" };
            format!("{name:width$}  {mutable}{}  (cell {})\n", variable.ty, variable.cell)
        };
        let lines: String = self.variables.live.iter().map(line).collect();
        if lines.is_empty() { "There are no variables.\n".to_owned() } else { lines }
    }
}

fn say(text: &str, output: &mut dyn FnMut(Event)) {
    if !text.is_empty() {
        output(Event::Stdout(text.to_owned()));
    }
}
