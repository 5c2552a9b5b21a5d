//! Notebooks without Jupyter, over an engine whose cells say themselves what they do.

use std::path::PathBuf;

use notebooks::Error;
use notebooks::engine::{Bundle, CellError, Completions, Engine, Event, Outcome};
use notebooks::runner::{Parameter, Run, run};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Prints what stands behind `print `, fails where a cell says `fail`, and keeps everything that it was given.
#[derive(Default)]
struct Scripted(Vec<String>);

impl Engine for Scripted {
    fn execute(&mut self, code: &str, output: &mut dyn FnMut(Event)) -> Outcome {
        self.0.push(code.to_owned());
        for line in code.lines() {
            if let Some(text) = line.strip_prefix("print ") {
                output(Event::Stdout(format!("{text}\n")));
            } else if line == "fail" {
                let (name, message) = ("Panic".into(), "on purpose".into());
                return Outcome::Failed(CellError { name, message, traceback: vec!["Panic: on purpose".into()] });
            } else if let Some(text) = line.strip_prefix("result ") {
                output(Event::Result(bundle(text)));
            } else if let Some(text) = line.strip_prefix("update ") {
                output(Event::Update { bundle: bundle(text), id: "a".into() });
            } else if let Some(text) = line.strip_prefix("display ") {
                output(Event::Display { bundle: bundle(text), id: Some("a".into()) });
            }
        }
        Outcome::Done
    }

    fn interrupter(&self) -> Box<dyn Fn() + Send + Sync> {
        Box::new(|| ())
    }

    fn complete(&mut self, _: &str, cursor: usize) -> Completions {
        Completions { matches: Vec::new(), range: cursor..cursor }
    }

    fn inspect(&mut self, _: &str, _: usize) -> Option<Bundle> {
        None
    }
}

fn bundle(text: &str) -> Bundle {
    [("text/plain".to_owned(), text.into()), ("image/png".to_owned(), "iVBO\n".into())].into_iter().collect()
}

fn cell(source: &str, tags: &[&str]) -> Value {
    json!({ "cell_type": "code", "id": "x", "metadata": { "tags": tags }, "execution_count": 9, "outputs": [{}], "source": source })
}

/// Runs these cells; what was given to the engine, what was written, and how it ended.
fn ran(cells: &[Value], parameters: &[&str]) -> (Vec<String>, Value, Result<(), Error>) {
    let folder = TempDir::new().unwrap();
    let (notebook, out) = (folder.path().join("x.ipynb"), folder.path().join("y.ipynb"));
    std::fs::write(&notebook, json!({ "nbformat": 4, "nbformat_minor": 5, "metadata": { "own": 1 }, "cells": cells }).to_string()).unwrap();
    let parameters = parameters.iter().map(|text| text.parse::<Parameter>().unwrap()).collect();
    let mut engine = Scripted::default();
    let settings = Run { notebook, out: Some(out.clone()), parameters, timeout: None };
    let ended = run(&settings, &mut engine, &mut |done, of| assert!(done <= of));
    let written = std::fs::read(out).map_or(Value::Null, |text| serde_json::from_slice(&text).unwrap());
    (engine.0, written, ended)
}

#[test]
fn outputs_are_those_that_jupyter_would_have_written() {
    let text = json!({ "cell_type": "markdown", "id": "m", "metadata": {}, "source": ["a\n", "b"] });
    let cells =
        [text.clone(), cell("print a\nprint b\ndisplay one\nprint c\nupdate two\nresult 3", &[]), cell("  ", &[]), cell("quiet", &[])];
    let (given, written, ended) = ran(&cells, &[]);
    ended.unwrap();
    assert_eq!(given.len(), 2, "neither texts nor empty cells run");
    assert_eq!(written["cells"][0], text);
    let data = |text: &str| json!({ "text/plain": [text], "image/png": "iVBO\n" });
    let expected = json!([
        { "output_type": "stream", "name": "stdout", "text": ["a\n", "b\n"] },
        { "output_type": "display_data", "data": data("two"), "metadata": {} },
        { "output_type": "stream", "name": "stdout", "text": ["c\n"] },
        { "output_type": "execute_result", "data": data("3"), "metadata": {}, "execution_count": 1 },
    ]);
    assert_eq!(written["cells"][1]["outputs"], expected);
    assert_eq!((&written["cells"][3]["execution_count"], &written["cells"][3]["outputs"]), (&json!(2), &json!([])));
    assert_eq!(written["metadata"]["kernelspec"], json!({ "display_name": "Rust (Pellucid)", "language": "rust", "name": "pellucid" }));
    assert_eq!(written["metadata"]["own"], 1);
}

#[test]
fn the_first_failed_cell_ends_the_run_and_is_named() {
    let (given, written, ended) = ran(&[cell("print a", &[]), cell("print b\nfail\nprint c", &[]), cell("print d", &[])], &[]);
    assert_eq!(given.len(), 2);
    let error = ended.unwrap_err();
    assert!(matches!(&error, Error::Cell { cell: 2, name, .. } if name == "Panic"), "{error:?}");
    assert!(error.to_string().ends_with("x.ipynb failed in cell 2: Panic: on purpose"), "{error}");
    let outputs = written["cells"][1]["outputs"].as_array().unwrap();
    assert_eq!(outputs[0]["text"], json!(["b\n"]));
    assert_eq!(outputs[1], json!({ "output_type": "error", "ename": "Panic", "evalue": "on purpose", "traceback": ["Panic: on purpose"] }));
}

#[test]
fn parameters_follow_the_cell_that_has_their_tag() {
    let cells = [cell("let n = 1;", &["parameters"]), cell("use n", &[])];
    let (given, written, ended) = ran(&cells, &["n=3", "name=a b"]);
    ended.unwrap();
    assert_eq!(given, ["let n = 1;", "let n = 3;\nlet name = \"a b\";", "use n"]);
    assert_eq!(written["cells"][1]["metadata"]["tags"], json!(["injected-parameters"]));
    let executed = written["cells"].as_array().unwrap();
    let (given, written, _) = ran(executed, &["n=4"]);
    assert_eq!(given, ["let n = 1;", "let n = 4;", "use n"], "an executed notebook is run again with other values");
    assert_eq!(written["cells"].as_array().unwrap().len(), 3);
    let error = ran(&cells[1..], &["n=3"]).2.unwrap_err();
    assert!(error.to_string().contains("no cell is tagged `parameters`"), "{error}");
}

#[test]
fn bad_files_are_refused_by_name() {
    let folder = TempDir::new().unwrap();
    let huge = folder.path().join("huge.ipynb");
    std::fs::File::create(&huge).unwrap().set_len(2 << 30).unwrap();
    let written = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let deep = "[".repeat(100_000);
    let rows: Vec<(PathBuf, &str)> = vec![
        (folder.path().join("none.ipynb"), "cannot be read"),
        (folder.path().to_owned(), "is no file"),
        (huge, "2048 MiB are more than"),
        (written("a.ipynb", "not a notebook"), "is no JSON"),
        (written("b.ipynb", "{\"nbformat\": 3, \"worksheets\": []}"), "of format 3"),
        (written("c.ipynb", "{}"), "no `nbformat`"),
        (written("d.ipynb", "{\"nbformat\": 4, \"metadata\": {}}"), "has no cells"),
        (written("e.ipynb", "{\"nbformat\": 4, \"metadata\": {}, \"cells\": []}"), "has no cells"),
        (
            written("f.ipynb", "{\"nbformat\": 4, \"metadata\": {}, \"cells\": [{\"cell_type\": \"code\"}]}"),
            "cell 1 has no type or no source",
        ),
        (written("g.ipynb", "{\"nbformat\": 4, \"metadata\": 1, \"cells\": [{\"cell_type\": \"code\", \"source\": \"\"}]}"), "metadata"),
        (written("h.ipynb", &deep), "is no JSON"),
    ];
    for (notebook, expected) in rows {
        let settings = Run { notebook, out: None, parameters: Vec::new(), timeout: None };
        let error = run(&settings, &mut Scripted::default(), &mut |_, _| ()).unwrap_err();
        assert!(matches!(error, Error::Notebook { .. }) && error.to_string().contains(expected), "{error}");
    }
}
