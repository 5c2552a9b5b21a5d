//! Rows of the second door that a code alone does not settle.

use serde_json::Value;

use crate::demo::{Answer, Demo};
use crate::makers::{private_jpeg, private_png, turned};
use crate::pictures::{jpeg_of, lesion, png_of, with_segment};
use crate::traces::assert_clean;

/// Everything that is sent back about a lesion.
const PARTS: [&str; 5] = ["", "/reading.json", "/original.png", "/overlay.png", "/thumbnail.jpg"];

fn taken(answer: &Answer) -> String {
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()["page"].as_str().unwrap().to_owned()
}

/// I20, I23: nothing but pixels comes back.
pub fn i20_i23(demo: &Demo) {
    let two_faced = [&jpeg_of(&lesion(40, 30), false)[..], b"PK\x03\x04 PLANTED-ARCHIVE <script>PLANTED-SCRIPT</script>"].concat();
    for bytes in [two_faced, private_jpeg(), private_png()] {
        let page = taken(&demo.upload("lesion.jpg", &bytes));
        for part in PARTS {
            let answer = demo.get(&format!("{page}{part}"), "text/html");
            assert_eq!(answer.status, 200, "{part}");
            assert_clean(part, &answer.body);
        }
    }
}

fn probabilities(reading: &Value) -> Vec<f64> {
    reading["bars"].as_array().unwrap().iter().map(|bar| bar["probability"].as_f64().unwrap()).collect()
}

fn reading(demo: &Demo, page: &str) -> Value {
    demo.get(&format!("{page}/reading.json"), "application/json").json()
}

/// I22: whichever way the camera was held, the bars are the same, and lesion and overlay stand upright.
pub fn i22(demo: &Demo) {
    let upright = lesion(48, 32);
    let pages: Vec<String> = (1..=8).map(|turn| taken(&demo.upload("lesion.png", &turned(&upright, turn)))).collect();
    let of = |page: &str, part: &str| demo.get(&format!("{page}{part}"), "image/png").body;
    for (index, page) in pages.iter().enumerate() {
        assert_eq!(probabilities(&reading(demo, page)), probabilities(&reading(demo, &pages[0])), "orientation {}", index + 1);
        for part in ["/original.png", "/overlay.png?method=rollout&fill=on"] {
            assert!(of(page, part) == of(&pages[0], part), "orientation {}: another {part}", index + 1);
        }
    }
}

/// I25: the same pixels with and without a profile get the same bars, and the page of the one with it says so.
pub fn i25(demo: &Demo) {
    let plain = jpeg_of(&lesion(40, 40), false);
    let described = with_segment(&plain, 0xE2, b"ICC_PROFILE\0\x01\x01 Display P3");
    let [plain, described] = [plain, described].map(|bytes| taken(&demo.upload("lesion.jpg", &bytes)));
    assert_eq!(probabilities(&reading(demo, &plain)), probabilities(&reading(demo, &described)));
    let says = |page: &str| demo.get(page, "text/html").text().contains("the embedded colour profile was not applied");
    assert_eq!((says(&plain), says(&described)), (false, true));
}

/// I30: the same bytes twice, under two names, are one lesion.
pub fn i30(demo: &Demo) {
    let bytes = png_of(&lesion(44, 44));
    let first = taken(&demo.upload("first.png", &bytes));
    let kept = demo.kept();
    assert_eq!((taken(&demo.upload("second.png", &bytes)), demo.kept()), (first, kept));
}

/// I31: no name is an address, none acts on the page, and none comes back in a header.
pub fn i31(demo: &Demo) {
    let long = "n".repeat(300);
    let hostile = [
        "../../etc/passwd",
        "C:\\x",
        "CON",
        "a\u{202E}gpj.exe",
        "🔬.png",
        "<img src=x onerror=alert(1)>",
        &long,
        "a%0d%0aSet-Cookie: x",
        "a;b'c&d",
    ];
    for (index, name) in hostile.into_iter().enumerate() {
        let side = 100 + index as u32;
        let answer = demo.upload(name, &png_of(&lesion(side, side)));
        let page = taken(&answer);
        let id = page.strip_prefix("/lesions/").unwrap();
        assert!(id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{page}");
        let shown = demo.get(&page, "text/html");
        for acting in ["<img src=x", "\u{202E}", "etc/passwd", &"n".repeat(90)] {
            assert!(!shown.text().contains(acting), "{name} shows {acting}");
        }
        let heads = answer.head + &shown.head + &demo.get(&format!("{page}/original.png"), "image/png").head;
        assert!(!heads.to_lowercase().contains("set-cookie") && !heads.contains("filename"), "{heads}");
    }
    for broken in ["a\0b", "a\r\nset-cookie: x"] {
        let kept = demo.kept();
        let answer = demo.upload(broken, &png_of(&lesion(120, 120)));
        let refused = answer.status == 400 && answer.code() == "bad-form" && demo.kept() == kept;
        let shown = answer.status == 201 && !answer.head.to_lowercase().contains("set-cookie");
        assert!(refused || shown, "{broken:?}: {}", answer.head);
    }
}
