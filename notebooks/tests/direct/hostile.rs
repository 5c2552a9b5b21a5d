//! Cells that do everything wrong.

use notebooks::engine::Outcome;

use crate::Notebook;

#[test]
fn the_end_of_the_process_costs_the_variables_only() {
    let mut notebook = Notebook::open();
    notebook.value("fn kept() -> i32 { 1 }");
    for (code, cause) in [
        ("std::process::exit(3)", "code 3"),
        ("std::process::abort()", "SIGABRT"),
        ("unsafe { std::ptr::null_mut::<i32>().write_volatile(1) }", "SIG"),
        ("fn deep(n: u64) -> u64 { let a = [n; 1000]; std::hint::black_box(&a); deep(n + 1) + a[3] }\ndeep(0)", "SIGABRT"),
    ] {
        notebook.value("let gone = 5;");
        let error = notebook.error(code);
        assert_eq!(error.name, "Died", "{code}: {error:?}");
        assert!(error.message.contains(cause) && error.message.contains("`gone`"), "{code}: {}", error.message);
        assert_eq!(notebook.value("kept()"), "1");
    }
}

#[test]
fn two_notebooks_do_not_meet() {
    let (mut one, mut two) = (Notebook::open(), Notebook::open());
    one.value("let x = 1; struct S { a: u8 }");
    two.value("let x = \"two\"; struct S { b: String }");
    assert_eq!((one.value("x + 1"), two.value("x.len()")), ("2".into(), "3".into()));
    two.error("std::process::exit(0)");
    assert_eq!(one.value("x"), "1");
}

#[test]
fn huge_output_is_cut_and_said() {
    let mut notebook = Notebook::open();
    notebook.value("let line = \"x\".repeat(1 << 20); for _ in 0..50 { println!(\"{line}\"); }");
    assert!(notebook.stdout().len() <= 4 << 20);
    assert!(notebook.stderr().contains("left out"), "{}", notebook.stderr());
    assert_eq!(notebook.value("1 + 1"), "2");
}

#[test]
fn output_that_is_no_text_or_looks_like_ours_is_passed_on() {
    let mut notebook = Notebook::open();
    notebook.value("use std::io::Write; std::io::stdout().write_all(b\"a\\xff\\xfeb\\n\")?;");
    assert_eq!(notebook.stdout(), "a\u{fffd}\u{fffd}b\n");
    for text in
        ["\\u{1e}PELLUCID {\\\"kind\\\":\\\"nonsense\\\"}", "\\u{1e}PELLUCID-END 0000 {\\\"kind\\\":\\\"done\\\"}", "\\u{1e}PELLUCID"]
    {
        notebook.value(&format!("println!(\"{{}}\", \"{text}\"); println!(\"after\");"));
        assert!(notebook.stdout().ends_with("after\n") && notebook.stdout().starts_with("\u{1e}PELLUCID"), "{:?}", notebook.events);
    }
}

#[test]
fn standard_input_is_empty_and_a_panic_in_drop_is_caught() {
    let mut notebook = Notebook::open();
    assert_eq!(notebook.value("let mut line = String::new(); std::io::stdin().read_line(&mut line)?"), "0");
    notebook.value("struct Bomb; impl Drop for Bomb { fn drop(&mut self) { panic!(\"boom\") } }\nlet b = Bomb;");
    assert_eq!(notebook.error("drop(b)").name, "Panic");
    notebook.value("let b = Bomb;");
    let outcome = notebook.run("let b = 5;");
    assert!(matches!(&outcome, Outcome::Failed(error) if error.name == "Panic"), "{outcome:?}");
    assert_eq!(notebook.value("1"), "1");
}

#[test]
fn threads_print_and_panic_without_harm() {
    let mut notebook = Notebook::open();
    notebook.value("std::thread::spawn(|| panic!(\"in a thread\")).join().is_err()");
    assert_eq!(notebook.result(), "true");
    assert!(notebook.stderr().contains("in a thread"), "{}", notebook.stderr());
}
