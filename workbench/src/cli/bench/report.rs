//! What one visit to a GPU says, as it is written.

use std::fs;
use std::path::Path;

use anyhow::Context;
use serde::Serialize;

use super::gates::Gate;
use super::ladder::Row;
use super::machine::Machine;
use super::rates::Rate;

/// Everything, in the order in which it was made.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Tells the results of this command from others.
    pub kind: &'static str,
    pub made_by: String,
    pub when: String,
    /// Of all inputs.
    pub seed: u64,
    /// Small sizes and few runs: no figures for a table.
    pub quick: bool,
    pub replays: usize,
    pub machine: Machine,
    pub gates: Vec<Gate>,
    pub rates: Vec<Rate>,
    pub ladder: Vec<Row>,
    /// What was left out, and why.
    pub notes: Vec<String>,
}

impl Report {
    /// Writes all there is so far: what comes later may fail.
    pub fn write(&self, file: &Path) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        // Under another name first: a run that is cut off while it writes leaves what it had.
        let part = file.with_extension("json.part");
        let written = fs::write(&part, text + "\n").and_then(|()| fs::rename(&part, file));
        written.with_context(|| format!("{} cannot be written", file.display()))
    }

    /// What a reader wants first.
    pub fn summary(&self) -> String {
        let failed = self.gates.iter().filter(|gate| !gate.passed).count();
        let mut lines = vec![format!("{}: {} gates, {failed} failed; seed {}", self.machine.name, self.gates.len(), self.seed)];
        lines.extend(self.ladder.iter().map(Row::line));
        lines.extend(self.notes.iter().cloned());
        lines.join("\n")
    }
}
