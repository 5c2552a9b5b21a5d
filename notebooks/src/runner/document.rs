//! The notebook's file: read within bounds, changed only where cells ran, written as Jupyter writes it.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::outputs::lines;
use super::parameters::Parameter;
use crate::error::{Error, Result};
use crate::kernelspec::{DISPLAY_NAME, NAME};

/// Beyond this a file is no notebook that anybody opens.
const MOST_BYTES: u64 = 256 << 20;

/// A notebook of format 4.
#[derive(Debug)]
pub struct Document {
    path: PathBuf,
    json: Value,
}

impl Document {
    /// Reads and checks it.
    pub fn read(path: &Path) -> Result<Self> {
        let bad = |why: String| Error::Notebook { path: path.to_owned(), why };
        let size = std::fs::metadata(path).map_err(|error| bad(format!("it cannot be read: {error}")))?;
        if !size.is_file() {
            return Err(bad("it is no file; name a notebook (.ipynb)".into()));
        }
        if size.len() > MOST_BYTES {
            let (size, most) = (size.len() >> 20, MOST_BYTES >> 20);
            return Err(bad(format!(
                "{size} MiB are more than the {most} MiB of a notebook; clear its outputs (jupyter nbconvert --clear-output)"
            )));
        }
        let text = std::fs::read(path).map_err(|error| bad(format!("it cannot be read: {error}")))?;
        let json: Value = serde_json::from_slice(&text).map_err(|error| bad(format!("it is no JSON ({error}); a notebook is")))?;
        check(&json).map_err(bad)?;
        Ok(Self { path: path.to_owned(), json })
    }

    /// The places of the code cells that have code.
    pub fn code_cells(&self) -> Vec<usize> {
        let runs = |at: &usize| self.json["cells"][*at]["cell_type"] == "code" && !self.source(*at).trim().is_empty();
        (0..self.cells().len()).filter(runs).collect()
    }

    /// The code of a cell.
    pub fn source(&self, cell: usize) -> String {
        text(&self.json["cells"][cell]["source"])
    }

    /// What a cell showed.
    pub fn set_outputs(&mut self, cell: usize, count: u64, outputs: Vec<Value>) {
        let cell = &mut self.json["cells"][cell];
        cell["outputs"] = outputs.into();
        cell["execution_count"] = count.into();
    }

    /// Puts a cell with other values behind the cell tagged `parameters`, or before all others where none is.
    pub fn inject(&mut self, parameters: &[Parameter]) -> Result<()> {
        if parameters.is_empty() {
            return Ok(());
        }
        let tagged =
            |cell: &Value, tag: &str| cell["metadata"]["tags"].as_array().is_some_and(|tags| tags.iter().any(|found| found == tag));
        let old = self.cells().iter().position(|cell| tagged(cell, INJECTED));
        let at = self.cells().iter().position(|cell| tagged(cell, "parameters"));
        let Some(at) = at else {
            let why = "no cell is tagged `parameters`, so --param has no place; tag the cell with the constants";
            return Err(Error::Notebook { path: self.path.clone(), why: why.into() });
        };
        let code: Vec<String> = parameters.iter().map(Parameter::statement).collect();
        let mut cell = json!({
            "cell_type": "code", "execution_count": null, "metadata": { "tags": [INJECTED] },
            "outputs": [], "source": lines(&code.join("\n")),
        });
        // Before 4.5 a cell has no identity.
        if self.json["nbformat_minor"].as_u64() >= Some(5) {
            cell["id"] = INJECTED.into();
        }
        if let Some(cells) = self.json["cells"].as_array_mut() {
            old.map(|old| cells.remove(old));
            cells.insert((at + 1).min(cells.len()), cell);
        }
        Ok(())
    }

    /// Writes it with the kernel's name, beside first, so that never half of it is there.
    pub fn write(&mut self, path: &Path) -> Result<()> {
        self.json["metadata"]["kernelspec"] = json!({ "display_name": DISPLAY_NAME, "language": "rust", "name": NAME });
        self.json["metadata"]["language_info"] = crate::wire::language_info();
        let mut text = Vec::new();
        let formatter = serde_json::ser::PrettyFormatter::with_indent(b" ");
        let written = sorted(&self.json).serialize(&mut serde_json::Serializer::with_formatter(&mut text, formatter));
        written.map_err(|error| Error::Notebook { path: path.to_owned(), why: error.to_string() })?;
        text.push(b'\n');
        let mut beside = path.as_os_str().to_owned();
        beside.push(".new");
        std::fs::write(&beside, text).map_err(Error::file("cannot write", path))?;
        std::fs::rename(&beside, path).map_err(Error::file("cannot write", path))
    }

    fn cells(&self) -> &[Value] {
        self.json["cells"].as_array().map(Vec::as_slice).unwrap_or_default()
    }
}

const INJECTED: &str = "injected-parameters";

/// What is wrong with it, and what to do.
fn check(json: &Value) -> std::result::Result<(), String> {
    let format = json["nbformat"].as_u64().ok_or("it has no `nbformat`, so it is no notebook")?;
    if format != 4 {
        return Err(format!("it is of format {format}; make it 4: jupyter nbconvert --to notebook --nbformat 4"));
    }
    let cells = json["cells"].as_array().ok_or("it has no cells")?;
    if cells.is_empty() {
        return Err("it has no cells".into());
    }
    let is_cell = |cell: &Value| cell["cell_type"].is_string() && (cell["source"].is_string() || cell["source"].is_array());
    match cells.iter().position(|cell| !is_cell(cell)) {
        Some(at) => Err(format!("cell {} has no type or no source", at + 1)),
        None if !json["metadata"].is_object() => Err("its metadata are no object".into()),
        None => Ok(()),
    }
}

/// Text is a string or a list of lines.
fn text(value: &Value) -> String {
    match value {
        Value::Array(lines) => lines.iter().filter_map(Value::as_str).collect(),
        other => other.as_str().unwrap_or_default().to_owned(),
    }
}

/// Keys in the order of Jupyter's files, whatever the order of this build's maps.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(values) => values.iter().map(sorted).collect(),
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            entries.into_iter().map(|(key, value)| (key.clone(), sorted(value))).collect::<Map<_, _>>().into()
        }
        other => other.clone(),
    }
}
