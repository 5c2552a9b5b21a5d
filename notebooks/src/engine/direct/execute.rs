//! The way of a cell: taken apart, compiled, run, and what it leaves behind.

use std::collections::{BTreeMap, BTreeSet};

use super::Direct;
use super::cell::{self, Cell};
use super::compiler::{Compiled, Optimisation, Run};
use super::diagnostic::Diagnostic;
use super::render;
use super::source::Source;
use super::typing::{self, Refusal};
use super::variables::Variable;
use super::verdict::{self, Verdict};
use super::write::{Around, Plan, Purpose, Tail, write, write_broken};
use crate::engine::{CellError, Event, Outcome};

/// A cell moves away few variables; each costs a look of the compiler at most.
const MOST_ATTEMPTS: usize = 5;

/// A cell that is compiled, with all that is known about it.
pub(super) struct Ready {
    pub cell: Cell,
    pub plan: Plan,
    pub source: Source,
    /// The types of its new variables; one that was moved away or lasts for this cell only is missing.
    pub new: BTreeMap<String, Variable>,
    pub warnings: Vec<Diagnostic>,
}

impl Direct {
    /// Compiles and runs the Rust of a cell; commands are taken out already.
    pub(super) fn execute_rust(&mut self, text: &str, output: &mut dyn FnMut(Event)) -> Outcome {
        let number = self.count;
        self.texts.insert(number, text.to_owned());
        let cell = match cell::parse(number, text) {
            Ok(cell) => cell,
            Err(error) => return self.say_what_is_broken(text, &error),
        };
        match self.compile(cell) {
            Ok(ready) => self.run(&ready, output),
            Err(error) => Outcome::Failed(error),
        }
    }

    /// Compiles until nothing is left that another way of writing can mend.
    fn compile(&mut self, cell: Cell) -> Result<Ready, CellError> {
        let reshaped = self.items.reshaped(&cell.items);
        let dropped: BTreeSet<String> = self.variables.that_hold(&reshaped).into_iter().collect();
        let loaded = |(name, _): &(&String, &Variable)| cell.used.contains(*name) && !dropped.contains(*name);
        let loads = self.variables.live.iter().filter(loaded).map(|(name, variable)| (name.clone(), variable.clone())).collect();
        let mut plan = Plan { loads, ..Plan::default() };
        let probe = self.start_probe(&cell, &plan)?;
        let mut first_errors = None;
        for _ in 0..MOST_ATTEMPTS {
            let source = write(&cell, &plan, &self.around(), Purpose::Run);
            let optimisation = if cell.optimised { Optimisation::Full } else { self.optimisation };
            let compiled = self.build(source.text(), Purpose::Run, optimisation)?;
            if compiled.success {
                let new = types(&cell, &mut plan, probe)?;
                return Ok(Ready { cell, plan, source, new, warnings: compiled.diagnostics });
            }
            match verdict::of(&compiled.diagnostics, &source) {
                Verdict::Moved(marks) => marks.into_iter().for_each(|mark| plan.give_up(mark)),
                Verdict::Borrowed(names) if !names.is_empty() => {
                    plan.brief.extend(names.into_iter().map(|name| (name, verdict::borrows(cell.number))));
                }
                Verdict::Borrowed(_) if plan.tail == Tail::Rich => {
                    first_errors = Some((compiled, source));
                    plan.tail = Tail::Debug;
                }
                Verdict::Borrowed(_) | Verdict::Wrong => {
                    let (compiled, source) = first_errors.unwrap_or((compiled, source));
                    return Err(self.refuse(&cell, &compiled, &source));
                }
            }
        }
        Err(verdict::error("CompileError", "the cell moves too many variables away at once; make several cells of it".to_owned()))
    }

    /// Starts the question for types beside the build; most cells need none.
    fn start_probe(&mut self, cell: &Cell, plan: &Plan) -> Result<Option<(Run, Source)>, CellError> {
        if cell.bindings.iter().all(|binding| binding.ty.is_some()) {
            return Ok(None);
        }
        let source = write(cell, plan, &self.around(), Purpose::Probe);
        let run =
            self.compiler.start(self.count, source.text(), Purpose::Probe, Optimisation::None).map_err(|error| verdict::broken(&error))?;
        Ok(Some((run, source)))
    }

    fn build(&self, text: &str, purpose: Purpose, optimisation: Optimisation) -> Result<Compiled, CellError> {
        let started = self.compiler.start(self.count, text, purpose, optimisation);
        let compiled = started.and_then(Run::finish).map_err(|error| verdict::broken(&error))?;
        match self.interrupts.cancelled() {
            true => Err(verdict::interrupted()),
            false => Ok(compiled),
        }
    }

    /// Errors of the compiler, drawn over the cell.
    fn refuse(&self, cell: &Cell, compiled: &Compiled, source: &Source) -> CellError {
        let errors: Vec<&Diagnostic> = compiled.diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).collect();
        let remarks = |diagnostic: &Diagnostic| verdict::remarks(diagnostic, source, cell, &self.variables);
        let drawn = errors.iter().map(|error| render::diagnostic(error, source, &self.texts, &remarks(error)));
        let message = errors.first().map_or_else(String::new, |error| error.message.clone());
        CellError { name: "CompileError".to_owned(), message, traceback: drawn.collect() }
    }

    /// What is no Rust at all is said by the compiler; where it finds nothing wrong, by the parser.
    fn say_what_is_broken(&mut self, text: &str, error: &syn::Error) -> Outcome {
        let source = write_broken(self.count, text);
        let compiled = match self.build(source.text(), Purpose::Run, Optimisation::None) {
            Ok(compiled) => compiled,
            Err(error) => return Outcome::Failed(error),
        };
        let cell = Cell { number: self.count, text: text.to_owned(), ..Cell::default() };
        let mut refused = self.refuse(&cell, &compiled, &source);
        if refused.traceback.is_empty() {
            refused.message = error.to_string();
            refused.traceback = vec![render::at("error", &refused.message, None, &self.texts)];
        }
        Outcome::Failed(refused)
    }

    fn around(&self) -> Around<'_> {
        Around { items: &self.items, texts: &self.texts }
    }
}

/// The types of the cell's new variables, from the cell or from the compiler. What has no type that another cell could write is brief.
fn types(cell: &Cell, plan: &mut Plan, probe: Option<(Run, Source)>) -> Result<BTreeMap<String, Variable>, CellError> {
    let mut told = BTreeMap::new();
    if let Some((run, source)) = probe {
        let compiled = run.finish().map_err(|error| verdict::broken(&error))?;
        told = verdict::types(&compiled.diagnostics, &source);
    }
    let mut new = BTreeMap::new();
    for binding in &cell.bindings {
        let name = &binding.name;
        if !plan.keeps(name) {
            continue;
        }
        let ty = match (&binding.ty, told.get(name)) {
            (Some(ty), _) => Ok(ty.clone()),
            (None, Some(printed)) => typing::named(printed),
            (None, None) => Err(Refusal::Unnamed),
        };
        match ty {
            Ok(ty) => drop(new.insert(name.clone(), Variable { ty, mutable: binding.mutable, cell: cell.number })),
            Err(refusal) => {
                drop(plan.brief.insert(name.clone(), format!("lasted for cell {} only: {}", cell.number, refusal.remedy())));
            }
        }
    }
    Ok(new)
}
