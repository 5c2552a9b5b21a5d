//! What a cell prints becomes what it shows, however the bytes arrive.

use notebooks::engine::Event;
use notebooks::engine::frames::Frames;
use serde_json::json;

const FRAME: &str = "\u{1e}PELLUCID {\"kind\":\"display\",\"id\":\"a\",\"data\":{\"text/plain\":\"shown\"}}\n";

/// All events of a stream that arrives in pieces of `size` bytes, with neighbouring text joined.
fn read(stream: &[u8], size: usize) -> Vec<Event> {
    let mut frames = Frames::default();
    let mut events: Vec<Event> = stream.chunks(size).flat_map(|piece| frames.feed(piece)).collect();
    events.extend(frames.finish());
    let mut joined: Vec<Event> = Vec::new();
    for event in events {
        match (joined.last_mut(), event) {
            (Some(Event::Stdout(before)), Event::Stdout(text)) => before.push_str(&text),
            (_, event) => joined.push(event),
        }
    }
    joined
}

fn text(text: &str) -> Event {
    Event::Stdout(text.into())
}

fn shown(mime: &str, content: serde_json::Value, id: Option<&str>) -> Event {
    Event::Display { bundle: [(mime.to_owned(), content)].into_iter().collect(), id: id.map(str::to_owned) }
}

/// In every size of pieces the same.
fn assert_reads(stream: &[u8], expected: &[Event]) {
    for size in [1, 2, 3, 7, 4096] {
        assert_eq!(read(stream, size), expected, "in pieces of {size}");
    }
}

#[test]
fn frames_and_text_keep_their_order() {
    let display = shown("text/plain", json!("shown"), Some("a"));
    assert_reads(format!("one\n{FRAME}two\n").as_bytes(), &[text("one\n"), display.clone(), text("two\n")]);
    assert_reads(format!("no newline yet{FRAME}{FRAME}").as_bytes(), &[text("no newline yet"), display.clone(), display]);
    let update = "\u{1e}PELLUCID {\"kind\":\"update\",\"id\":\"a\",\"data\":{}}\n\u{1e}PELLUCID {\"kind\":\"result\",\"data\":{\"a/b\":{\"c\":1}}}\n";
    let result = [("a/b".to_owned(), json!({"c": 1}))].into_iter().collect();
    assert_reads(update.as_bytes(), &[Event::Update { bundle: Default::default(), id: "a".into() }, Event::Result(result)]);
}

#[test]
fn blocks_of_other_crates_are_displays_of_their_own() {
    let block = |mime: &str, body: &str| format!("EVCXR_BEGIN_CONTENT {mime}\n{body}\nEVCXR_END_CONTENT\n");
    let stream = format!("{}{}ok\n", block("image/png", "aGVsbG8="), block("application/vnd.plotly.v1+json", "{\"data\":\n[]}"));
    let plotly = shown("application/vnd.plotly.v1+json", json!({"data": []}), None);
    assert_reads(stream.as_bytes(), &[shown("image/png", json!("aGVsbG8="), None), plotly, text("ok\n")]);
    assert_reads(
        block("text/html", "<p>\n\nEVCXR_END_CONTENT no</p>").as_bytes(),
        &[shown("text/html", json!("<p>\n\nEVCXR_END_CONTENT no</p>"), None)],
    );
}

#[test]
fn what_is_no_frame_is_text() {
    for stream in [
        "\u{1e}PELLUCID {broken\n",
        "\u{1e}PELLUCID {\"kind\":\"paint\",\"data\":{}}\n",
        "\u{1e}PELLUCID {\"kind\":\"display\",\"data\":[]}\n",
        "\u{1e}PELLUCID {\"kind\":\"update\",\"data\":{}}\n",
        "\u{1e}PELLUCID {\"kind\":\"display\"",
        "\u{1e}\u{1e}\u{1e}PELL",
        "PELLUCID {\"kind\":\"display\",\"data\":{}}\n",
        "say EVCXR_BEGIN_CONTENT text/html\n",
        "EVCXR_BEGIN_CONTENT text/html\nnever ended\n",
        "EVCXR_BEG\r\n",
        "\r 50 %\r 100 %",
    ] {
        assert_reads(stream.as_bytes(), &[text(stream)]);
    }
}

#[test]
fn characters_are_whole_and_bytes_that_are_none_are_shown_as_such() {
    assert_reads("ä€😀\n".as_bytes(), &[text("ä€😀\n")]);
    assert_reads(b"a\xffb\xe2\x82\n", &[text("a\u{fffd}b\u{fffd}\n")]);
    assert_reads(b"\xf0\x9f", &[text("\u{fffd}")]);
    let mut frames = Frames::default();
    assert_eq!(frames.feed(b"a\xe2\x82"), [text("a")], "half a character waits");
    assert_eq!(frames.feed(b"\xac"), [text("\u{20ac}")]);
}

#[test]
fn text_without_a_newline_is_handed_on_at_once() {
    let mut frames = Frames::default();
    assert_eq!(frames.feed(b"working"), [text("working")]);
    assert_eq!(frames.feed(b"\r1 of 2"), [text("\r1 of 2")]);
    assert_eq!(frames.feed(b"\nEVC"), [text("\n")], "this may become a block");
    assert_eq!(frames.feed(b"X"), []);
    assert_eq!(frames.feed(b"!"), [text("EVCX!")]);
}

#[test]
fn an_output_without_end_does_not_fill_the_memory() {
    for start in ["\u{1e}PELLUCID {\"kind\":\"display\",\"data\":{\"a\":\"", "EVCXR_BEGIN_CONTENT text/html\n"] {
        let mut frames = Frames::default();
        let mut events = frames.feed(start.as_bytes());
        let piece = vec![b'x'; 1 << 20];
        (0..80).for_each(|_| events.extend(frames.feed(&piece)));
        events.extend(frames.feed(b"\nEVCXR_END_CONTENT\nafter\n"));
        let (note, rest) = events.split_first().expect("a note");
        assert!(matches!(note, Event::Stderr(note) if note.contains("64 MiB")), "{note:?}");
        let rest = rest.iter().map(|event| if let Event::Stdout(text) = event { text.as_str() } else { "?" }).collect::<String>();
        assert!(rest.ends_with("after\n") && rest.len() < 40, "{rest}");
    }
}
