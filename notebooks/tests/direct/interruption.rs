//! Interrupts: cells end, variables stay.

use std::thread;
use std::time::{Duration, Instant};

use notebooks::engine::{Engine, Event, Outcome};

use crate::Notebook;

/// Runs a cell and interrupts it once it has printed; how it ended, and how soon after the interrupt.
fn interrupted(notebook: &mut Notebook, code: &str, again: Option<Duration>) -> (Outcome, Duration) {
    let interrupt = std::sync::Arc::new(notebook.engine.interrupter());
    let mut first = None;
    let outcome = notebook.engine.execute(code, &mut |event| {
        if first.is_none() && matches!(&event, Event::Stdout(text) if text.contains("go")) {
            first = Some(Instant::now());
            interrupt();
            if let Some(wait) = again {
                let interrupt = std::sync::Arc::clone(&interrupt);
                thread::spawn(move || {
                    thread::sleep(wait);
                    interrupt();
                });
            }
        }
    });
    (outcome, first.expect("the cell printed").elapsed())
}

#[test]
fn loops_of_cells_end_at_once_and_variables_stay() {
    let mut notebook = Notebook::open();
    notebook.value("let mut n = 0u64; let kept = vec![5];\nfn spin() { loop { std::hint::spin_loop() } }");
    for code in [
        "println!(\"go\"); loop { n += 1; }",
        "println!(\"go\"); while true { n += 1; }",
        "println!(\"go\"); for _ in 0.. { n += 1; }",
        "println!(\"go\"); spin()",
        "println!(\"go\"); loop { check_interrupt()?; }",
        "println!(\"go\"); tokio::time::sleep(std::time::Duration::from_secs(60)).await;",
    ] {
        let (outcome, after) = interrupted(&mut notebook, code, None);
        let Outcome::Failed(error) = outcome else { panic!("{code} was not interrupted") };
        assert_eq!(error.name, "Interrupted", "{code}: {error:?}");
        assert!(after < Duration::from_millis(200), "{code}: {after:?}");
        assert_eq!(notebook.value("kept[0]"), "5");
    }
    assert_ne!(notebook.value("n"), "0");
}

#[test]
fn a_cell_that_does_not_listen_ends_at_the_second_interrupt() {
    let mut notebook = Notebook::open();
    notebook.value("let lost = 1;\nfn still_here() -> i32 { 3 }");
    let code = "println!(\"go\"); std::thread::sleep(std::time::Duration::from_secs(60));";
    let (outcome, _) = interrupted(&mut notebook, code, Some(Duration::from_millis(2300)));
    let Outcome::Failed(error) = outcome else { panic!("the cell was to die") };
    assert_eq!(error.name, "Died");
    assert!(error.message.contains("`lost`") && error.message.contains("SIGKILL"), "{}", error.message);
    assert_eq!(notebook.value("still_here()"), "3");
    assert!(notebook.error("lost").traceback[0].contains("`lost` was lost when the process of cells ended in cell 2"));
}

#[test]
fn an_interrupt_between_cells_reaches_none() {
    let mut notebook = Notebook::open();
    notebook.engine.interrupter()();
    assert_eq!(notebook.value("let mut s = 0; for i in 0..5 { s += i } s"), "10");
}
