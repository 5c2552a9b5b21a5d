//! Bytes that are no picture, or another kind than their name says. The ids are those of the hostile-input list.

mod pictures;

use datasets::{Limits, Note, decode};
use pictures::{code, jpeg_of, lesion, open, orientation_block, png_of, with_chunk, with_segment};
use proptest::prelude::*;

/// I01, I02.
#[test]
fn nothing_and_next_to_nothing() {
    assert_eq!(code(b""), "empty");
    assert_eq!(code(b"\xFF"), "unknown-format");
    assert_eq!(code(b"\xFF\xD8"), "unknown-format");
    assert_eq!(code(b"\xFF\xD8\xFF"), "incomplete");
    assert_eq!(code(b"\x89PNG\r\n\x1a\n"), "incomplete");
}

/// I17, I18, I19, I21, I26.
#[test]
fn other_kinds_are_refused_by_name() {
    let dicom = [&[0_u8; 128][..], b"DICM\x02\0"].concat();
    let dressed = [&jpeg_of(&lesion(32, 32), false)[..128], b"DICM\x02\0"].concat();
    let kinds: [(&[u8], &str); 24] = [
        (b"GIF89a\x10\0\x10\0", "GIF"),
        (b"RIFF\x24\0\0\0WEBPVP8 ", "WebP"),
        (b"II*\0\x08\0\0\0", "TIFF"),
        (b"MM\0*\0\0\0\x08", "TIFF"),
        (b"BM\x36\0\0\0", "BMP"),
        (b"\0\0\0\x1cftypavif\0\0\0\0", "AVIF"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "HEIC"),
        (b"\0\0\0\x18ftypisom\0\0\0\0", "ISO media"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", "SVG"),
        (b"<?xml version='1.0'?><!DOCTYPE svg [<!ENTITY x SYSTEM 'file:///x'>]><svg>&x;</svg>", "SVG"),
        (b"\xEF\xBB\xBF \n<!DOCTYPE html><html></html>", "HTML"),
        (b"  <ScRiPt>alert(1)</ScRiPt>", "HTML"),
        (b"%PDF-1.7\n", "PDF"),
        (&dicom, "DICOM"),
        (&dressed, "DICOM"),
        (b"\0\0\x01\0\x01\0\x10\x10", "ICO"),
        (b"8BPS\0\x01", "Photoshop"),
        (b"\x76\x2f\x31\x01\x02\0\0\0", "OpenEXR"),
        (b"#?RADIANCE\n", "Radiance"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
        (b"\xFF\x0A\xFA\x7F", "JPEG XL"),
        (b"PK\x03\x04", "ZIP"),
        (b"MZ\x90\0", "program"),
        (b"qoif\0\0\0\x10", "QOI"),
    ];
    for (bytes, name) in kinds {
        let refusal = open(bytes).unwrap_err();
        assert_eq!(refusal.code(), "format-not-accepted", "{name}");
        assert!(refusal.to_string().contains(name), "{refusal} should name {name}");
    }
    assert_eq!(code(b"hello, this is no picture"), "unknown-format");
}

/// I20: whatever follows the picture is left behind and told.
#[test]
fn polyglots_keep_their_pixels_only() {
    let picture = lesion(40, 30);
    for bytes in [png_of(&picture), jpeg_of(&picture, false), jpeg_of(&picture, true)] {
        let clean = open(&bytes).unwrap();
        let two_faced = open(&[&bytes[..], b"PK\x03\x04 and an archive"].concat()).unwrap();
        assert_eq!(two_faced.image, clean.image);
        assert_eq!(two_faced.notes, [clean.notes.clone(), vec![Note::TrailingBytes { bytes: 19 }]].concat());
    }
}

/// I29: at the limit yes, one over it no.
#[test]
fn limits_are_met_exactly() {
    let bytes = png_of(&lesion(40, 30));
    let within = Limits { bytes: bytes.len(), smallest_side: 30, side: 40, pixels: 1_200, ..Limits::default() };
    assert!(decode(&bytes, &within).is_ok());
    for (limits, wanted) in [
        (Limits { bytes: bytes.len() - 1, ..within }, "too-many-bytes"),
        (Limits { smallest_side: 31, ..within }, "too-small"),
        (Limits { side: 39, ..within }, "side-too-long"),
        (Limits { pixels: 1_199, ..within }, "too-many-pixels"),
        (Limits { memory: 1_200, ..within }, "too-much-memory"),
    ] {
        assert_eq!(decode(&bytes, &limits).unwrap_err().code(), wanted);
    }
    assert_eq!(code(&png_of(&lesion(8, 8))), "too-small");
    assert_eq!(code(&jpeg_of(&lesion(8, 8), false)), "too-small");
}

/// I22: the eight orientations of one picture come out alike.
#[test]
fn all_eight_orientations_end_upright() {
    let upright = lesion(48, 32);
    // What the camera would have stored for each orientation: the inverse of the turn that the number asks for.
    let stored = |orientation: u8| {
        let mut picture = image::DynamicImage::ImageRgb8(upright.clone());
        picture = match orientation {
            2 => picture.fliph(),
            3 => picture.rotate180(),
            4 => picture.flipv(),
            5 => picture.rotate90().fliph(),
            6 => picture.rotate270(),
            7 => picture.rotate270().fliph(),
            8 => picture.rotate90(),
            _ => picture,
        };
        picture.into_rgb8()
    };
    for orientation in 1..=8 {
        let png = with_chunk(&png_of(&stored(orientation)), b"eXIf", &orientation_block(orientation));
        let exif = [&b"Exif\0\0"[..], &orientation_block(orientation)].concat();
        let jpeg = with_segment(&jpeg_of(&stored(orientation), false), 0xE1, &exif);
        let (from_png, from_jpeg) = (open(&png).unwrap(), open(&jpeg).unwrap());
        assert_eq!(from_png.image, upright, "PNG, orientation {orientation}");
        pictures::assert_close(&from_jpeg.image, &upright, 40);
        let noted = from_jpeg.notes.contains(&Note::Turned { orientation });
        assert_eq!(noted, orientation != 1, "orientation {orientation}");
    }
}

/// I24: an EXIF block of nonsense costs nothing and turns nothing.
#[test]
fn broken_exif_is_passed_over() {
    let picture = jpeg_of(&lesion(32, 32), false);
    let upright = open(&picture).unwrap().image;
    let huge = [&b"Exif\0\0II*\0\x08\0\0\0\xFF\xFF"[..], &[0xFF; 60_000]].concat();
    for body in [&b"Exif\0\0"[..], b"Exif\0\0II*\0\xFF\xFF\xFF\xFF", &huge] {
        assert_eq!(open(&with_segment(&picture, 0xE1, body)).unwrap().image, upright);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn random_bytes_never_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..400), kind in 0..3_usize) {
        let magic: &[u8] = [&b""[..], &b"\xFF\xD8\xFF"[..], &b"\x89PNG\r\n\x1a\n"[..]][kind];
        bytes.splice(0..0, magic.iter().copied());
        prop_assert!(open(&bytes).is_err());
    }

    #[test]
    fn flipped_and_cut_pictures_never_panic(
        kind in 0..3_usize,
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let picture = lesion(33, 47);
        let mut bytes = match kind { 0 => png_of(&picture), 1 => jpeg_of(&picture, false), _ => jpeg_of(&picture, true) };
        for (place, mask) in flips {
            let at = place.index(bytes.len());
            bytes[at] ^= mask;
        }
        if let Some(place) = cut {
            bytes.truncate(place.index(bytes.len()));
            prop_assert!(open(&bytes).is_err(), "a cut picture is refused");
        }
        if let Ok(decoded) = open(&bytes) {
            prop_assert!(decoded.image.width() <= 12_000 && decoded.image.height() <= 12_000);
        }
    }
}
