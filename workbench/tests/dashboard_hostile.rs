//! Hostile uploads: each ends in a stable code, nothing is stored, nothing panics.

mod dashboard;

use std::task::Poll;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use dashboard::{Asked, app, app_with, closing, form, get, part, picture};
use workbench::dashboard::Workload;

/// A PNG's signature and header, and nothing of its pixels; width before height, as the format has it.
fn png_header(width: u32, height: u32, depth: u8, kind: u8) -> Vec<u8> {
    let body = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[depth, kind, 0, 0, 0]].concat();
    let named = [&b"IHDR"[..], &body].concat();
    let sum = crc32fast::hash(&named).to_be_bytes();
    [&b"\x89PNG\r\n\x1a\n"[..], &13_u32.to_be_bytes(), &named, &sum].concat()
}

/// Given bytes that are no picture, or ask for too much, when they are uploaded, then their code says why and nothing is kept.
#[tokio::test]
async fn pictures_that_are_none_are_refused_with_their_code() {
    let app = app_with(Workload { waiting: 8, ..Workload::default() });
    let whole = picture(1);
    let bad_sum = [&whole[..whole.len() - 20], &[whole[whole.len() - 20] ^ 1], &whole[whole.len() - 19..]].concat();
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>".to_vec();
    let cases: Vec<(&str, Vec<u8>, u16, &[&str])> = vec![
        ("I01 zero bytes", vec![], 400, &["empty"]),
        ("I02 one byte", vec![0xFF], 415, &["unknown-format"]),
        ("I02 magic only", b"\x89PNG\r\n\x1a\n".to_vec(), 422, &["incomplete", "malformed"]),
        ("I04 cut before its end", whole[..whole.len() - 30].to_vec(), 422, &["incomplete"]),
        ("I04 wrong checksum", bad_sum, 422, &["malformed", "damaged"]),
        ("I05 30000 x 30000, 1 bit", png_header(30_000, 30_000, 1, 0), 413, &["side-too-long", "too-many-pixels"]),
        ("I06 30000 x 30000, RGB", png_header(30_000, 30_000, 8, 2), 413, &["side-too-long", "too-many-pixels"]),
        ("I07 2^31-1 a side", png_header(i32::MAX as u32, i32::MAX as u32, 8, 2), 413, &["side-too-long"]),
        ("I08 a strip", png_header(1, 50_000_000, 8, 2), 413, &["side-too-long"]),
        ("I09 no width", png_header(0, 100, 8, 2), 422, &["zero-size", "malformed"]),
        ("I17 an animation", b"GIF89a\x01\0\x01\0".to_vec(), 415, &["format-not-accepted"]),
        ("I18 SVG with a script", svg, 415, &["format-not-accepted"]),
        ("I19 HTML as .png", b"<!doctype html><script>alert(1)</script>".to_vec(), 415, &["format-not-accepted"]),
        ("I19 PDF as .png", b"%PDF-1.7".to_vec(), 415, &["format-not-accepted"]),
        ("I29 eight pixels", png_header(8, 8, 8, 2), 422, &["too-small"]),
    ];
    for (case, bytes, status, codes) in cases {
        let answer = Asked::upload(form("picture", "lesion.png", &bytes)).accepting("application/json").of(&app).await;
        assert_eq!(answer.status.as_u16(), status, "{case}: {}", answer.text);
        assert!(codes.contains(&answer.code().as_str()), "{case}: {}", answer.text);
        let page = Asked::upload(form("picture", "lesion.png", &bytes)).accepting("text/html").of(&app).await;
        assert!(page.status.as_u16() == status && page.text.contains(&answer.code()), "{case} as a page");
    }
    assert_nothing_stored(&app).await;
}

/// Given forms that are none, when they are sent, then the answer is 400, 413 or 415 and nothing is kept.
#[tokio::test]
async fn forms_that_are_none_are_refused() {
    let app = app_with(Workload::default());
    let good = form("picture", "a.png", &picture(2));
    let many: Vec<u8> = (0..10_000).flat_map(|_| part("picture", "a.png", b"x")).chain(closing()).collect();
    let twice = [part("picture", "a.png", &picture(2)), part("picture", "b.png", &picture(3)), closing()].concat();
    let no_boundary = Asked::upload(good.clone()).with("content-type", "multipart/form-data");
    let cases = [
        ("no boundary", no_boundary, 400, "bad-form"),
        ("not a form", Asked::upload(good.clone()).with("content-type", "application/octet-stream"), 415, "not-a-form"),
        ("another boundary", Asked::upload(good.clone()).with("content-type", "multipart/form-data; boundary=other"), 400, "bad-form"),
        ("no field", Asked::upload(closing()), 400, "bad-form"),
        ("empty body", Asked::upload(Vec::new()), 400, "bad-form"),
        ("another field", Asked::upload(form("role", "admin", b"x")), 400, "bad-form"),
        ("10 000 parts", Asked::upload(many), 400, "bad-form"),
        ("the field twice", Asked::upload(twice), 400, "bad-form"),
        ("cut in the middle", Asked::upload(good[..good.len() / 2].to_vec()), 400, "bad-form"),
        ("compressed", Asked::upload(good.clone()).with("content-encoding", "gzip"), 415, "encoded-body"),
        ("a length that lies", Asked::upload(good[..200].to_vec()).with("content-length", "999999"), 400, "bad-form"),
        ("from another site", Asked::upload(good).with("sec-fetch-site", "cross-site"), 403, "cross-site"),
    ];
    for (case, asked, status, code) in cases {
        let answer = asked.accepting("application/json").of(&app).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (status, code), "{case}: {}", answer.text);
    }
    assert_nothing_stored(&app).await;
}

/// Given a body just over the limit, or one without end and length, when it is sent, then reading stops there: 413.
#[tokio::test]
async fn bodies_without_end_are_cut_off() {
    let app = app_with(Workload::default());
    let large = form("picture", "large.png", &vec![0; 21 << 20]);
    let answer = Asked::upload(large).of(&app).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "body-too-large"));
    let head = Bytes::from(part("picture", "endless.png", b""));
    let endless = Body::from_stream(Endless { next: head });
    let answer = Asked::upload(endless).of(&app).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "body-too-large"));
    assert_nothing_stored(&app).await;
}

/// Given a client that sends one byte and waits, when the patience is over, then it is told so and its place is free.
#[tokio::test]
async fn a_slow_client_is_given_up() {
    let patience = std::time::Duration::from_millis(200);
    let app = app_with(Workload { receiving: 1, patience, ..Workload::default() });
    let answer = Asked::upload(Body::from_stream(Silent)).of(&app).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::REQUEST_TIMEOUT, "timeout"));
    let broken = Asked::upload(closing()).of(&app).await;
    assert_eq!(broken.code(), "bad-form", "the place is free again");
}

/// Given names that attack paths, terminals or pages, when pictures come under them, then they are only ever shown, and escaped.
#[tokio::test]
async fn file_names_are_only_shown() {
    let app = app();
    let names = [
        "../../etc/passwd",
        "C:\\x",
        "CON",
        "a\u{202E}gpj.exe",
        "🔬.png",
        "<img src=x onerror=alert(1)>",
        &"n".repeat(300),
        "a%0d%0aSet-Cookie: x",
    ];
    for (index, name) in names.into_iter().enumerate() {
        let answer = Asked::upload(form("picture", name, &picture(100 + index as u64))).accepting("text/html").of(&app).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{name}: {}", answer.text);
        let page = answer.header("location");
        let id = page.strip_prefix("/lesions/").expect("the page of a lesion");
        assert!(id.len() == 64 && id.chars().all(|c| c.is_ascii_hexdigit()), "{page}");
        let shown = get(&app, page).await;
        assert_eq!(shown.status, StatusCode::OK);
        for hostile in ["<img src=x", "\u{202E}", "etc/passwd", &"n".repeat(90)] {
            assert!(!shown.text.contains(hostile), "{name} shows {hostile}");
        }
        assert!(shown.text.contains("nobody outlined this lesion"));
    }
}

/// Given the same bytes twice, when they are uploaded, then they are one lesion; given too many, the oldest goes.
#[tokio::test]
async fn uploads_are_idempotent_and_bounded() {
    let app = app_with(Workload { kept: 2, ..Workload::default() });
    let upload = |seed| {
        let (app, body) = (app.clone(), form("picture", "a.png", &picture(seed)));
        async move { Asked::upload(body).accepting("application/json").of(&app).await.json()["page"].as_str().unwrap().to_owned() }
    };
    let (first, again) = (upload(1).await, upload(1).await);
    assert_eq!(first, again);
    let (second, third) = (upload(2).await, upload(3).await);
    assert_eq!(get(&app, &first).await.status, StatusCode::NOT_FOUND, "the oldest went");
    for page in [second, third] {
        assert_eq!(get(&app, &page).await.status, StatusCode::OK);
    }
    assert!(get(&app, "/").await.text.contains("2 kept now"));
}

/// Given a queue of one running and one waiting, when many ask at once, then two are answered and the others told to come again.
#[tokio::test]
async fn a_full_queue_says_when_to_come_again() {
    let app = app_with(Workload { running: 1, waiting: 1, ..Workload::default() });
    let home = get(&app, "/").await.text;
    let rooms: Vec<String> = home.match_indices("/lesions/DRAWN_").map(|(at, _)| home[at..at + 22].to_owned()).collect();
    let asked = rooms.iter().step_by(2).map(|room| Asked::get(&format!("{room}/reading.json")).of(&app));
    let answers = all_at_once(asked.collect()).await;
    let count = |status| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!((count(StatusCode::OK), count(StatusCode::TOO_MANY_REQUESTS)), (2, answers.len() - 2));
    let busy = answers.iter().find(|answer| answer.status == StatusCode::TOO_MANY_REQUESTS).unwrap();
    assert_eq!((busy.code().as_str(), busy.header("retry-after")), ("busy", "2"));
    assert_eq!(get(&app, &rooms[0]).await.status, StatusCode::OK, "afterwards there is room again");
}

/// Given a name of another site that points to this machine, when a browser calls it, then nothing is read or kept: 421.
#[tokio::test]
async fn requests_under_another_name_are_refused() {
    let app = app_with(Workload::default());
    for name in ["evil.example", "evil.example:7878", "127.0.0.1.evil.example", "169.254.169.254", "localhost@evil.example", ""] {
        let read = Asked::get("/").with("host", name).accepting("application/json").of(&app).await;
        assert_eq!((read.status.as_u16(), read.code().as_str()), (421, "wrong-host"), "{name}: {}", read.text);
        let kept = Asked::upload(form("picture", "a.png", &picture(4))).with("host", name).of(&app).await;
        assert_eq!((kept.status.as_u16(), kept.code().as_str()), (421, "wrong-host"), "{name}: {}", kept.text);
    }
    let absolute = Asked::new("GET", "http://evil.example/").accepting("application/json").of(&app).await;
    assert_eq!((absolute.status.as_u16(), absolute.code().as_str()), (421, "wrong-host"), "the address counts beside the header");
    let page = Asked::get("/").with("host", "evil.example").accepting("text/html").of(&app).await;
    assert!(page.text.contains("wrong-host") && page.header("content-security-policy").starts_with("default-src"), "{}", page.text);
    for name in ["localhost", "127.0.0.1:7878", "LOCALHOST:1"] {
        assert_eq!(Asked::get("/").with("host", name).of(&app).await.status, StatusCode::OK, "{name}");
    }
    assert_nothing_stored(&app).await;
}

async fn assert_nothing_stored(app: &Router) {
    assert!(!get(app, "/").await.text.contains("kept now"), "something was stored");
}

/// Drives all at once on this thread and gives their answers in order.
async fn all_at_once<T>(futures: Vec<impl Future<Output = T>>) -> Vec<T> {
    let mut futures: Vec<_> = futures.into_iter().map(Box::pin).collect();
    let mut done: Vec<Option<T>> = futures.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, done) in futures.iter_mut().zip(&mut done) {
            if done.is_none()
                && let Poll::Ready(answer) = future.as_mut().poll(context)
            {
                *done = Some(answer);
            }
        }
        if done.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    done.into_iter().flatten().collect()
}

/// A body that begins as a form and never ends.
struct Endless {
    next: Bytes,
}

/// A body that never says anything.
struct Silent;

mod streams {
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use super::{Bytes, Endless, Silent};

    impl futures_core::Stream for Endless {
        type Item = Result<Bytes, Infallible>;

        fn poll_next(mut self: Pin<&mut Self>, _: &mut Context) -> Poll<Option<Self::Item>> {
            let now = std::mem::replace(&mut self.next, Bytes::from_static(&[0; 65_536]));
            Poll::Ready(Some(Ok(now)))
        }
    }

    impl futures_core::Stream for Silent {
        type Item = Result<Bytes, Infallible>;

        fn poll_next(self: Pin<&mut Self>, _: &mut Context) -> Poll<Option<Self::Item>> {
            Poll::Pending
        }
    }
}
