//! The second door: the dashboard's upload, over real connections to a process of its own.

use std::time::Instant;

use crate::demo::Demo;
use crate::pictures::{lesion, png_of};
use crate::rows::{Expected, Row, all};
use crate::upload_rows::{i20_i23, i22, i25, i30, i31};
use crate::wire::i32;

/// What a refused upload may add to the memory that is held, in MiB: its body, twice.
const REFUSING: u64 = 64;

/// What an upload that is taken may add, in MiB: decoding at the limit.
const TAKING: u64 = 900;

#[test]
fn every_row_by_upload() {
    let mut demo = Demo::start(&[]);
    println!("\n| id | case | expected | seen | more MiB at most | ms |\n|:--|:--|:--|:--|--:|--:|");
    let mut wrong = Vec::new();
    for row in all() {
        let held = demo.held();
        let (expected, seen, milliseconds) = one(&demo, &row);
        let more = demo.peak().unwrap_or(0).saturating_sub(held);
        println!("| {} | {} | {expected} | {seen} | {more} | {milliseconds} |", row.id, row.what);
        let most = if matches!(row.expected, Expected::Refused(_)) { REFUSING } else { TAKING };
        assert!(more <= most, "{} {}: {more} MiB more, {most} are allowed", row.id, row.what);
        if seen != expected {
            wrong.push(format!("{} {}: expected {expected}, seen {seen}", row.id, row.what));
        }
    }
    println!("| I27, I28 | words in pixels, no skin | detectors come with the reading room | – | | |");
    for (id, what, check) in [
        ("I20, I23", "only pixels are handed on", i20_i23 as fn(&Demo)),
        ("I22", "eight orientations are one picture", i22),
        ("I25", "a profile changes no pixel and is told", i25),
        ("I30", "the same bytes twice are one lesion", i30),
        ("I31", "names are only shown", i31),
        ("I32", "forms that are none", i32),
    ] {
        let held = demo.held();
        check(&demo);
        println!("| {id} | {what} | so | so | {} | |", demo.peak().unwrap_or(0).saturating_sub(held));
    }
    demo.assert_unharmed();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn another_model_is_served_as_it_is_named() {
    let mut demo = Demo::start(&["--model", "random:tiny_for_tests"]);
    let home = demo.get("/", "text/html").text();
    assert!(home.contains("random") && home.contains("/lesions/DRAWN_") && !home.contains("trained on drawn lesions"), "{home}");
    let page = demo.upload("lesion.png", &png_of(&lesion(32, 32))).json()["page"].as_str().unwrap().to_owned();
    assert!(demo.get(&page, "text/html").text().contains("This model has no head"));
    demo.assert_unharmed();
}

/// The expected and the seen outcome, and the time.
fn one(demo: &Demo, row: &Row) -> (String, String, u128) {
    let kept = demo.kept();
    let started = Instant::now();
    let answer = demo.upload("lesion.jpg", &row.bytes);
    let milliseconds = started.elapsed().as_millis();
    let (expected, seen) = match (row.expected, answer.status) {
        (Expected::Refused(code), 400..=499) => {
            assert_eq!(demo.kept(), kept, "{} {}: something was kept", row.id, row.what);
            (format!("refused {code}"), format!("refused {}", answer.code()))
        }
        (Expected::Noted(words), 201) => {
            let notes = answer.json()["notes"].to_string();
            let seen = if notes.contains(words) { words } else { notes.as_str() };
            (format!("taken, noted: {words}"), format!("taken, noted: {seen}"))
        }
        (Expected::Taken, 201) => ("taken".into(), "taken".into()),
        (expected, status) => (format!("{expected:?}"), format!("status {status}: {}", answer.text())),
    };
    if answer.status == 201 {
        let page = answer.json()["page"].as_str().unwrap().to_owned();
        assert_eq!(demo.get(&format!("{page}/reading.json"), "application/json").status, 200, "{} {}: no reading", row.id, row.what);
    }
    (expected, seen, milliseconds)
}
