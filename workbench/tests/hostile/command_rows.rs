//! Rows of the first door that a code alone does not settle.

use std::fs;

use serde_json::Value;

use crate::command::{Room, names};
use crate::makers::{private_jpeg, private_png, turned, turned_jpeg};
use crate::pictures::{jpeg_of, lesion, png_of, with_segment};
use crate::traces::assert_clean;

/// I20, I23: nothing but pixels goes into anything that is written or said.
#[test]
fn i20_i23_only_pixels_are_handed_on() {
    let room = Room::new();
    let jpeg = jpeg_of(&lesion(40, 30), false);
    room.write("two_faced.jpg", &[&jpeg[..], b"PK\x03\x04 PLANTED-ARCHIVE <script>PLANTED-SCRIPT</script>"].concat());
    room.write("private.jpg", &private_jpeg());
    room.write("private.png", &private_png());
    let ended = room.explain(&["two_faced.jpg", "private.jpg", "private.png"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let written = names(&room.folder.path().join("maps"));
    assert_eq!(written.len(), 3 * 3 + 1, "{written:?}");
    for name in written {
        assert_clean(&name, &room.map(&name));
    }
    assert_clean("what is said", (ended.stdout + &ended.stderr).as_bytes());
}

fn logits(image: &Value) -> Vec<f64> {
    image["logits"].as_array().unwrap().iter().map(|logit| logit.as_f64().unwrap()).collect()
}

/// I22: whichever way the camera was held, the model says the same, and the overlay stands upright.
#[test]
fn i22_eight_orientations_are_one_picture() {
    let (room, upright) = (Room::new(), lesion(48, 32));
    let files: Vec<String> = (1..=8).map(|turn| format!("png{turn}.png")).chain((1..=8).map(|turn| format!("jpeg{turn}.jpg"))).collect();
    for turn in 1..=8_u8 {
        room.write(&format!("png{turn}.png"), &turned(&upright, turn));
        room.write(&format!("jpeg{turn}.jpg"), &turned_jpeg(&upright, turn));
    }
    let ended = room.explain(&files.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let images = room.explanation()["images"].clone();
    let reference = logits(&images[0]);
    for (index, file) in files.iter().enumerate() {
        let (image, is_png) = (&images[index], file.starts_with("png"));
        assert_eq!(image["size"], serde_json::json!([48, 32]), "{file}");
        // Pixels of a PNG are the same to the bit; a JPEG is coded anew for each turn.
        let allowed = if is_png { 0.0 } else { 0.05 };
        for (found, wanted) in logits(image).iter().zip(&reference) {
            assert!((found - wanted).abs() <= allowed, "{file}: {found} against {wanted}");
        }
        let same = room.map(&format!("{}.rollout.png", file.split('.').next().unwrap())) == room.map("png1.rollout.png");
        assert!(same || !is_png, "{file}: another overlay");
    }
}

/// I25: the same pixels with and without a profile get the same answer, and the one with it a warning.
#[test]
fn i25_a_profile_changes_no_pixel_and_is_told() {
    let room = Room::new();
    let plain = jpeg_of(&lesion(40, 40), false);
    room.write("plain.jpg", &plain);
    room.write("profile.jpg", &with_segment(&plain, 0xE2, b"ICC_PROFILE\0\x01\x01 Display P3"));
    let ended = room.explain(&["plain.jpg", "profile.jpg"]);
    let images = room.explanation()["images"].clone();
    assert_eq!(logits(&images[0]), logits(&images[1]));
    assert!(
        !ended.stderr.contains("note plain.jpg") && ended.stderr.contains("note profile.jpg: the embedded colour profile"),
        "{}",
        ended.stderr
    );
}

/// I30: the same bytes twice have the same answer twice, and it is told.
#[test]
fn i30_the_same_bytes_twice_are_told() {
    let room = Room::new();
    let bytes = png_of(&lesion(40, 40));
    room.write("first.png", &bytes);
    room.write("second.png", &bytes);
    let ended = room.explain(&["first.png", "second.png"]);
    assert!(ended.stderr.contains("note second.png: the same bytes as first.png"), "{}", ended.stderr);
    for ending in ["png", "grid.npy", "full.npy"] {
        assert!(room.map(&format!("first.rollout.{ending}")) == room.map(&format!("second.rollout.{ending}")), "{ending}");
    }
}

/// I31: a name is shown so that nothing in it acts, and no file is called by it.
#[test]
fn i31_names_are_only_shown() {
    let hostile = [
        "CON",
        "a\nrefused b",
        "a\u{202E}gpj.exe",
        "a\u{9B}31m",
        "\u{1B}[31mred",
        "🔬.png",
        "<img src=x onerror=alert(1)>",
        "C:\\x",
        "-rf",
        &"n".repeat(200),
    ];
    for name in hostile {
        let room = Room::new();
        room.write(name, &png_of(&lesion(32, 32)));
        let ended = room.explain(&[name]);
        assert_eq!(ended.code, Some(0), "{name:?}: {}", ended.stderr);
        let said = ended.stdout + &ended.stderr;
        assert!(said.chars().all(|c| c == '\n' || !workbench::names::is_hidden(c)), "{name:?} acts: {said:?}");
        for written in names(&room.folder.path().join("maps")) {
            let plain = written.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
            assert!(plain && written.len() < 130 && !written.starts_with("CON."), "{name:?} became {written:?}");
        }
        assert_eq!(room.explanation()["images"][0]["file"], name, "the JSON has the name itself, escaped as JSON does");
        let json = fs::read_to_string(room.folder.path().join("maps/explanation.json")).unwrap();
        assert!(json.chars().all(|c| c == '\n' || !workbench::names::is_hidden(c)), "{name:?} acts in the JSON");
    }
}

/// I31: names that lead elsewhere, or nowhere, are read as paths and nothing is written beside the results.
#[test]
fn i31_names_that_lead_elsewhere_lead_to_no_file() {
    for name in ["../../etc/passwd", "nowhere\u{202E}gpj", &"n".repeat(300)] {
        let room = Room::new();
        let ended = room.explain(&[name]);
        assert_eq!(ended.code, Some(1), "{name:?}");
        assert!(ended.stderr.contains("[unreadable]") || ended.stderr.contains("[unknown-format]"), "{}", ended.stderr);
        assert!(!ended.stderr.contains('\u{202E}') && names(room.folder.path()).is_empty(), "{}", ended.stderr);
    }
}
