//! Models of a hub, fetched from one that runs on this machine and misbehaves on request.
//!
//! `cargo test --release -p workbench --test hub -- --nocapture` prints the table.

mod answers;
mod commands;
mod desk;
mod refusals;
mod repository;
#[allow(dead_code, reason = "the command line's own tests use all of it")]
#[path = "../cli/run.rs"]
mod run;
mod server;
mod whole;

/// A case, what is to come of it, and what does.
type Row = (&'static str, &'static str, fn() -> String);

#[test]
fn every_way_that_a_download_can_take() {
    let rows: Vec<Row> = whole::ROWS.iter().chain(&refusals::ROWS).chain(&commands::ROWS).copied().collect();
    println!("\n| case | expected | seen |\n|:--|:--|:--|");
    let mut wrong = Vec::new();
    for (case, expected, seen) in rows {
        let seen = seen();
        println!("| {case} | {expected} | {seen} |");
        if seen != expected {
            wrong.push(format!("{case}: expected {expected}, seen {seen}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
