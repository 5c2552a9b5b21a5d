//! Hostile and unusual JPEGs. The ids are those of the hostile-input list.

mod pictures;

use std::time::{Duration, Instant};

use datasets::Note;
use jpeg_encoder::{ColorType, Encoder};
use pictures::{assert_close, code, jpeg_header, jpeg_of, lesion, open, with_segment};

#[test]
fn baseline_and_progressive_are_decoded() {
    let picture = lesion(70, 91);
    for progressive in [false, true] {
        let decoded = open(&jpeg_of(&picture, progressive)).unwrap();
        assert_close(&decoded.image, &picture, 40);
        assert!(decoded.notes.is_empty());
    }
}

/// I03: every cut is refused, none is filled up with grey.
#[test]
fn a_cut_anywhere_is_incomplete() {
    for progressive in [false, true] {
        let whole = jpeg_of(&lesion(64, 64), progressive);
        for end in 3..whole.len() {
            let refused = open(&whole[..end]).unwrap_err().code();
            assert!(refused == "incomplete", "cut at {end}: {refused}");
        }
    }
}

/// I03, with an end marker put behind the cut so that only the coded data shows what is missing.
#[test]
fn a_cut_with_a_forged_end_is_refused() {
    for progressive in [false, true] {
        let whole = jpeg_of(&lesion(96, 96), progressive);
        let first_scan = whole.windows(2).position(|w| w == [0xFF, 0xDA]).unwrap() + 14;
        for share in [1, 2, 3, 5, 8] {
            let end = first_scan + (whole.len() - first_scan) * share / 10;
            let forged = [&whole[..end], &[0xFF, 0xD9]].concat();
            let refused = open(&forged);
            assert!(refused.is_err(), "progressive {progressive}, cut at {share}/10: {:?}", refused.map(|d| d.notes));
        }
    }
}

/// I09, I11 and their like: the header alone decides, at once.
#[test]
fn huge_and_empty_headers_are_refused_at_once() {
    let cases = [
        (jpeg_header(0xC2, 8, 65_535, 65_535, 3), "side-too-long"),
        (jpeg_header(0xC0, 8, 65_535, 65_535, 1), "side-too-long"),
        (jpeg_header(0xC0, 8, 12_000, 12_000, 3), "too-many-pixels"),
        (jpeg_header(0xC0, 8, 0, 640, 3), "zero-size"),
        (jpeg_header(0xC0, 8, 480, 0, 3), "zero-size"),
        (jpeg_header(0xC0, 8, 1, 9_000, 3), "too-small"),
    ];
    for (bytes, wanted) in cases {
        let quickest = (0..5)
            .map(|_| {
                let start = Instant::now();
                assert_eq!(code(&bytes), wanted);
                start.elapsed()
            })
            .min();
        assert!(quickest < Some(Duration::from_millis(10)), "{wanted} took {quickest:?}");
    }
}

/// I12: scans are counted before any is decoded.
#[test]
fn ten_thousand_scans_are_refused_at_once() {
    let mut bytes = jpeg_header(0xC2, 8, 4_000, 4_000, 3);
    for _ in 0..10_000 {
        bytes.extend([0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0, 0x00]);
    }
    bytes.extend([0xFF, 0xD9]);
    let start = Instant::now();
    assert_eq!(code(&bytes), "too-many-scans");
    assert!(start.elapsed() < Duration::from_millis(50), "{:?}", start.elapsed());
}

/// I13: four components are refused by name, with and without Adobe's marker.
#[test]
fn cmyk_and_ycck_are_refused_by_name() {
    for kind in [ColorType::Cmyk, ColorType::CmykAsYcck] {
        let mut bytes = Vec::new();
        Encoder::new(&mut bytes, 90).encode(&[90; 32 * 32 * 4], 32, 32, kind).unwrap();
        let refusal = open(&bytes).unwrap_err();
        assert_eq!(refusal.code(), "colour-model");
        assert!(refusal.to_string().contains("CMYK"), "{refusal}");
    }
    assert_eq!(code(&jpeg_header(0xC0, 8, 32, 32, 2)), "colour-model");
}

/// I14.
#[test]
fn rare_processes_are_refused_by_name() {
    for (sof, precision, name) in [
        (0xC1, 12, "more than 8 bits"),
        (0xC3, 8, "lossless"),
        (0xC5, 8, "hierarchical"),
        (0xC9, 8, "arithmetic"),
        (0xCA, 8, "arithmetic"),
        (0xCB, 8, "arithmetic"),
        (0xF7, 8, "lossless"),
    ] {
        let refusal = open(&jpeg_header(sof, precision, 64, 64, 3)).unwrap_err();
        assert_eq!(refusal.code(), "jpeg-process", "{sof:#x}");
        assert!(refusal.to_string().contains(name), "{refusal}");
    }
}

#[test]
fn grey_and_rgb_coded_jpegs_have_their_colours() {
    let mut grey = Vec::new();
    Encoder::new(&mut grey, 95).encode(&[100; 24 * 24], 24, 24, ColorType::Luma).unwrap();
    let decoded = open(&grey).unwrap();
    assert!(decoded.image.pixels().all(|p| p.0.iter().all(|v| v.abs_diff(100) <= 1)));
    assert_eq!(decoded.notes, [Note::GreyExpanded]);
}

#[test]
fn restarts_and_subsampling_are_decoded() {
    let picture = lesion(61, 83);
    for sampling in [jpeg_encoder::SamplingFactor::F_1_1, jpeg_encoder::SamplingFactor::F_2_2, jpeg_encoder::SamplingFactor::F_2_1] {
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&mut bytes, 95);
        encoder.set_sampling_factor(sampling);
        encoder.set_restart_interval(3);
        encoder.encode(picture.as_raw(), 83, 61, ColorType::Rgb).unwrap();
        assert_close(&open(&bytes).unwrap().image, &picture, 60);
    }
}

#[test]
fn structures_that_break_the_rules_are_malformed() {
    let good = jpeg_of(&lesion(32, 32), false);
    let twice = [&jpeg_header(0xC0, 8, 32, 32, 3)[..], &good[2..]].concat();
    assert_eq!(code(&twice), "malformed");
    assert_eq!(code(&[0xFF, 0xD8, 0xFF, 0xE0, 0, 1]), "malformed");
    assert_eq!(code(&[0xFF, 0xD8, 0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0, 0xFF, 0xD9]), "malformed");
    assert_eq!(code(&[0xFF, 0xD8, 0xFF, 0xD9]), "incomplete");
    assert_eq!(code(&[0xFF, 0xD8, 0xFF, 0xD8, 0xFF, 0xD9]), "malformed");
}

/// I25: a profile is not applied, and the reader is told.
#[test]
fn a_profile_is_noted() {
    let bytes = with_segment(&jpeg_of(&lesion(32, 32), false), 0xE2, b"ICC_PROFILE\0\x01\x01garbage");
    assert_eq!(open(&bytes).unwrap().notes, [Note::ProfilePassedOver]);
}
