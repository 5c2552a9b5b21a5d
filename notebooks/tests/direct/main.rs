//! The direct engine on real cells, compiled by the real compiler against a small library.

mod commands;
mod completion;
mod errors;
mod hostile;
mod interruption;
mod items;
mod library;
mod output;
mod variables;

use notebooks::engine::direct::{Direct, Settings};
use notebooks::engine::{CellError, Engine, Event, Outcome};

/// A notebook whose cells are run one by one.
pub struct Notebook {
    /// What runs them.
    pub engine: Direct,
    /// What the last one showed.
    pub events: Vec<Event>,
}

impl Notebook {
    /// A notebook with a process of its own.
    pub fn open() -> Self {
        let program = env!("CARGO_BIN_EXE_pellucid-notebook").into();
        let engine = Direct::start(Settings { prebuilt: library::prebuilt().clone(), program }).expect("an engine");
        Self { engine, events: Vec::new() }
    }

    /// Runs a cell, keeps what it shows, and says how it ended.
    pub fn run(&mut self, code: &str) -> Outcome {
        self.events.clear();
        let events = &mut self.events;
        self.engine.execute(code, &mut |event| events.push(event))
    }

    /// Runs a cell that must succeed; the text of its result.
    #[track_caller]
    pub fn value(&mut self, code: &str) -> String {
        match self.run(code) {
            Outcome::Done => self.result(),
            Outcome::Failed(error) => panic!("{code}\n{}", plain(&error.traceback.join("\n"))),
        }
    }

    /// Runs a cell that must fail.
    #[track_caller]
    pub fn error(&mut self, code: &str) -> CellError {
        match self.run(code) {
            Outcome::Done => panic!("this was to fail, and gave {:?}:\n{code}", self.events),
            Outcome::Failed(error) => CellError { traceback: vec![plain(&error.traceback.join("\n"))], ..error },
        }
    }

    /// The text of the last cell's result, empty where there is none.
    pub fn result(&self) -> String {
        let results = self.events.iter().filter_map(|event| match event {
            Event::Result(bundle) => bundle["text/plain"].as_str(),
            _ => None,
        });
        results.collect()
    }

    /// What the last cell printed.
    pub fn stdout(&self) -> String {
        self.events.iter().filter_map(|event| if let Event::Stdout(text) = event { Some(text.as_str()) } else { None }).collect()
    }

    /// What the last cell printed as errors.
    pub fn stderr(&self) -> String {
        self.events.iter().filter_map(|event| if let Event::Stderr(text) = event { Some(text.as_str()) } else { None }).collect()
    }
}

/// Text without colours.
pub fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut parts = text.split('\u{1b}');
    plain.push_str(parts.next().unwrap_or_default());
    for part in parts {
        plain.push_str(part.split_once('m').map_or(part, |(_, rest)| rest));
    }
    plain
}
