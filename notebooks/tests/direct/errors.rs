//! What a user reads when a cell fails.

use crate::Notebook;

#[test]
fn a_compile_error_stands_over_the_cells_own_line() {
    let mut notebook = Notebook::open();
    notebook.value("let a = 1;");
    let error = notebook.error("let good = 2;\n\nlet wrong: i32 = \"text\"; // here");
    let text = &error.traceback[0];
    assert_eq!((error.name.as_str(), error.message.as_str()), ("CompileError", "mismatched types"));
    assert!(text.contains("error[E0308]: mismatched types") && text.contains("cell 2:3:18"), "{text}");
    assert!(text.contains("3 | let wrong: i32 = \"text\"; // here"), "{text}");
    assert!(!text.contains("pellucid_cell") && !text.contains("runtime"), "{text}");
}

#[test]
fn an_error_in_an_earlier_cells_item_names_that_cell() {
    let mut notebook = Notebook::open();
    notebook.value("struct P { x: i32 }");
    notebook.value("fn x_of(p: &P) -> i32 {\n    p.x\n}");
    let text = notebook.error("struct P { y: i32 }").traceback[0].clone();
    assert!(text.contains("cell 2:2:7") && text.contains("p.x"), "{text}");
}

#[test]
fn an_error_inside_a_macro_and_a_suggestion_are_drawn() {
    let mut notebook = Notebook::open();
    notebook.value("let lesion_size = 5;");
    let text = notebook.error("println!(\"{}\", lesion_sise);").traceback[0].clone();
    assert!(text.contains("cell 2:1:16") && text.contains("lesion_size"), "{text}");
    let text = notebook.error("let m: HashMap<u8, u8> = HashMap::new();").traceback[0].clone();
    assert!(text.contains("use std::collections::HashMap;"), "{text}");
}

#[test]
fn a_failed_question_mark_tells_causes_and_its_line() {
    let mut notebook = Notebook::open();
    notebook.value(
        "#[derive(Debug)] struct Outer(std::num::ParseIntError);\nimpl std::fmt::Display for Outer { fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result { write!(f, \"no count\") } }\nimpl std::error::Error for Outer { fn source(&self) -> Option<&(dyn std::error::Error + 'static)> { Some(&self.0) } }",
    );
    let error = notebook.error("let text = \"x\";\nlet n: i32 = text.parse().map_err(Outer)?;");
    let text = &error.traceback[0];
    assert_eq!((error.name.as_str(), error.message.as_str()), ("Error", "no count"));
    assert!(text.contains("caused by: invalid digit found in string"), "{text}");
    assert!(text.contains("cell 2:2:") && text.contains("text.parse().map_err(Outer)?"), "{text}");
    assert_eq!(notebook.error("Err::<(), _>(\"plain text\")?").message, "plain text");
}

#[test]
fn a_panic_tells_its_line_through_functions_and_crates() {
    let mut notebook = Notebook::open();
    let error = notebook.error("let v = vec![1, 2];\nlet i = 7;\nv[i]");
    assert_eq!((error.name.as_str(), error.message.as_str()), ("Panic", "index out of bounds: the len is 2 but the index is 7"));
    assert!(error.traceback[0].contains("cell 1:3:1") && error.traceback[0].contains("3 | v[i]"), "{}", error.traceback[0]);
    notebook.value("fn inner(m: &Array2<f64>) -> f64 {\n    m.dot(&Array2::<f64>::zeros((9, 9))).sum()\n}");
    let error = notebook.error("let m = Array2::<f64>::zeros((2, 2));\ninner(&m)");
    assert!(error.traceback[0].contains("cell 2:2:"), "{}", error.traceback[0]);
    assert!(error.traceback[0].contains("called from cell 3, line 2: inner(&m)"), "{}", error.traceback[0]);
    assert!(notebook.stderr().is_empty(), "the panic is told once: {}", notebook.stderr());
}

#[test]
fn what_is_no_rust_is_said_over_the_cell() {
    let mut notebook = Notebook::open();
    for (code, place) in [
        ("fn f() {", "unclosed delimiter"),
        ("let x = 5 5;", "cell 2:1:"),
        ("let = 3;", "cell 3:1:5"),
        ("1 +", "cell 4:1:"),
        ("\"open", "cell 5:1:1"),
        (")", "cell 6:1:1"),
    ] {
        let text = notebook.error(code).traceback[0].clone();
        assert!(text.contains(place), "{code}\n{text}");
        assert!(!text.contains("pellucid"), "{text}");
    }
    assert_eq!(notebook.value("1 + 1"), "2");
}

#[test]
fn a_result_that_nobody_looks_at_is_a_note() {
    let mut notebook = Notebook::open();
    notebook.value("fn f() -> Result<(), String> { Err(\"e\".into()) }\nf();\nlet unused = 3;");
    assert!(notebook.stderr().contains("must be used") && !notebook.stderr().contains("never read"), "{}", notebook.stderr());
}
