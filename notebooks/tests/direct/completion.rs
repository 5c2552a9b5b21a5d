//! Completion and inspection, with and without the index.

use notebooks::api::{Api, Documented, add, document};
use notebooks::engine::Engine;
use notebooks::engine::direct::{Direct, Settings};

use crate::{Notebook, library};

fn with_index() -> Notebook {
    let mut prebuilt = library::prebuilt().clone();
    let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/library/lib.rs");
    let mut externs = prebuilt.externs.clone();
    externs.push(("libc".into(), library::rlib(&prebuilt.search[0], "libc")));
    let krate = Documented { name: "pellucid".into(), source, features: Vec::new(), externs };
    let json = document(&krate, &prebuilt.rustc, &prebuilt.search).expect("documentation");
    let mut api = Api::default();
    add(&mut api, &json);
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("api-{}.json", std::process::id()));
    api.write(&path).expect("an index");
    prebuilt.api = Some(path);
    let program = env!("CARGO_BIN_EXE_pellucid-notebook").into();
    Notebook { engine: Direct::start(Settings { prebuilt, program }).expect("an engine"), events: Vec::new() }
}

fn complete(notebook: &mut Notebook, code: &str) -> Vec<String> {
    notebook.engine.complete(code, code.chars().count()).matches
}

fn inspect(notebook: &mut Notebook, code: &str) -> String {
    let bundle = notebook.engine.inspect(code, code.chars().count() - 1);
    bundle.map_or_else(String::new, |bundle| bundle["text/plain"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn the_notebooks_own_names_need_no_index() {
    let mut notebook = Notebook::open();
    notebook
        .value("let threshold = 0.5; struct Case { id: u32 }\nimpl Case { fn next(&self) -> u32 { self.id } }\nlet case = Case { id: 1 };");
    assert_eq!(complete(&mut notebook, "é; thr"), ["threshold"]);
    assert_eq!(notebook.engine.complete("é; thr", 6).range, 3..6);
    assert_eq!(complete(&mut notebook, "case."), ["id", "next"]);
    assert_eq!(complete(&mut notebook, ":ti"), [":timing"]);
    assert!(complete(&mut notebook, "whi").contains(&"while".to_owned()));
    assert_eq!(complete(&mut notebook, "nothing."), [""; 0]);
    assert_eq!(inspect(&mut notebook, "threshold"), "let threshold: f64\n\nmade in cell 1");
    assert!(inspect(&mut notebook, "Case").starts_with("struct Case { id: u32 }"));
    assert_eq!(inspect(&mut notebook, "unknown"), "");
}

#[test]
fn the_index_knows_the_library() {
    let mut notebook = with_index();
    notebook.value("let spot = lesion(4.0);");
    assert_eq!(complete(&mut notebook, "spot."), ["area", "diameter"]);
    assert_eq!(complete(&mut notebook, "Lesion::n"), ["none"]);
    assert_eq!(complete(&mut notebook, "les"), ["lesion"]);
    assert!(complete(&mut notebook, "use pellucid::").contains(&"runtime".to_owned()));
    assert!(complete(&mut notebook, "use pellucid::runtime::check_").contains(&"check_interrupt".to_owned()));
    assert_eq!(inspect(&mut notebook, "spot.area"), "fn area(&self) -> f64\n\nThe area of a disc of this diameter, in square millimetres.");
    assert!(inspect(&mut notebook, "lesion").starts_with("fn lesion(diameter: f64) -> Lesion\n\nA lesion"));
    assert!(inspect(&mut notebook, "spot").contains("A finding"));
}
