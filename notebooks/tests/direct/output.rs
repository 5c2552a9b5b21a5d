//! What cells print and show.

use notebooks::engine::Event;

use crate::Notebook;

#[test]
fn the_last_expression_is_shown_and_a_semicolon_silences_it() {
    let mut notebook = Notebook::open();
    assert_eq!(notebook.value("2 + 2"), "4");
    for silent in [
        "2 + 2;",
        "()",
        "println!(\"x\")",
        "for i in 0..3 { i; }",
        "let mut n = 0; while n < 3 { n += 1 }",
        "if false { }",
        "",
        "// only a comment",
        "fn f() {}",
    ] {
        assert_eq!(notebook.value(silent), "", "{silent}");
    }
    assert_eq!(notebook.value("if true { 1 } else { 2 }"), "1");
    assert_eq!(notebook.value("{ let a = 3; a * a }"), "9");
    assert_eq!(notebook.value("vec![1, 2]"), "[1, 2]");
    assert_eq!(notebook.value("loop { break 5 }"), "5");
    assert_eq!(notebook.value("match 3 { 3 => \"three\", _ => \"other\" }"), "\"three\"");
    assert!(notebook.value("struct NoDebug;\nNoDebug").contains("NoDebug (it has no Debug"));
    assert_eq!(notebook.value("\"5\".parse::<i32>()?"), "5");
    assert_eq!(notebook.value("array![[1.0, 2.0]].sum()"), "3.0");
}

#[test]
fn await_works_with_timers_and_question_marks() {
    let mut notebook = Notebook::open();
    notebook
        .value("async fn half(x: u32) -> Result<u32, String> { tokio::time::sleep(std::time::Duration::from_millis(5)).await; Ok(x / 2) }");
    notebook.value("let h = half(8).await?;");
    assert_eq!(notebook.value("half(h).await?"), "2");
    assert_eq!(notebook.value("let f = async { 1 }; f.await"), "1");
}

#[test]
fn frames_come_in_order_with_prints_and_can_be_updated() {
    let mut notebook = Notebook::open();
    notebook.value("use pellucid::runtime::{new_display, update_frame, show_frame}; use pellucid::serde_json::{Map, json};\nfn text(t: &str) -> Map<String, pellucid::serde_json::Value> { [(\"text/plain\".to_string(), json!(t))].into_iter().collect() }");
    notebook.value("print!(\"before \"); let id = new_display(text(\"0 %\")); println!(\"between\"); update_frame(&id, text(\"100 %\")); show_frame(text(\"image\")); 7");
    let kinds: Vec<String> = notebook
        .events
        .iter()
        .map(|event| match event {
            Event::Stdout(text) => format!("out {text}"),
            Event::Stderr(text) => format!("err {text}"),
            Event::Display { bundle, id } => format!("display {} {}", bundle["text/plain"], id.is_some()),
            Event::Update { bundle, .. } => format!("update {}", bundle["text/plain"]),
            Event::Result(bundle) => format!("result {}", bundle["text/plain"]),
        })
        .collect();
    assert_eq!(
        kinds,
        ["out before ", "display \"0 %\" true", "out between\n", "update \"100 %\"", "display \"image\" false", "result \"7\""]
    );
}

#[test]
fn text_is_handed_out_while_the_cell_runs() {
    let mut notebook = Notebook::open();
    let mut times = Vec::new();
    let code = "print!(\"first\"); std::thread::sleep(std::time::Duration::from_millis(600)); eprintln!(\"second\");";
    notebooks::engine::Engine::execute(&mut notebook.engine, code, &mut |_| times.push(std::time::Instant::now()));
    assert_eq!(times.len(), 2);
    assert!(times[1].duration_since(times[0]).as_millis() > 200, "text without a newline appears while the cell runs");
}
