//! Hostile and unusual PNGs. The ids are those of the hostile-input list.

mod pictures;

use std::time::{Duration, Instant};

use datasets::Note;
use pictures::{chunk, code, lesion, open, png_header, png_of, with_chunk};
use png::{BitDepth, ColorType, Encoder};

fn encoded(kind: ColorType, depth: BitDepth, data: &[u8], prepare: impl FnOnce(&mut Encoder<'_, &mut Vec<u8>>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, 16, 16);
    encoder.set_color(kind);
    encoder.set_depth(depth);
    prepare(&mut encoder);
    encoder.write_header().unwrap().write_image_data(data).unwrap();
    bytes
}

/// I04: every cut is refused, and so is every wrong checksum.
#[test]
fn cut_or_with_a_wrong_checksum_it_is_refused() {
    let whole = png_of(&lesion(40, 40));
    for end in 8..whole.len() {
        assert_eq!(code(&whole[..end]), "incomplete", "cut at {end}");
    }
    for at in [30, whole.len() - 1, whole.len() - 20] {
        let mut broken = whole.clone();
        broken[at] ^= 0x10;
        assert_eq!(code(&broken), "damaged", "byte {at} changed");
    }
}

/// Right checksums around half of the pixel data.
#[test]
fn too_little_pixel_data_is_refused() {
    let whole = png_of(&lesion(40, 40));
    let start = whole.windows(4).position(|w| w == b"IDAT").unwrap();
    let length = u32::from_be_bytes(whole[start - 4..start].try_into().unwrap()) as usize;
    let half = [&whole[..33], &chunk(b"IDAT", &whole[start + 4..start + 4 + length / 2]), &chunk(b"IEND", b"")].concat();
    assert!(matches!(code(&half), "incomplete" | "damaged"));
    let none = [&whole[..33], &chunk(b"IEND", b"")[..]].concat();
    assert_eq!(code(&none), "incomplete");
}

/// Found by fuzzing: half a colour at the end of a palette stopped the decoder.
#[test]
fn a_palette_of_broken_colours_is_refused() {
    let header = png_header(16, 16, 8, 3);
    let with_palette = |bytes: usize| [&header[..], &chunk(b"PLTE", &vec![7; bytes]), &chunk(b"IDAT", b""), &chunk(b"IEND", b"")].concat();
    for bytes in [0, 1, 4, 49, 767, 769, 771] {
        assert_eq!(code(&with_palette(bytes)), "malformed", "{bytes} bytes");
    }
    assert_ne!(code(&with_palette(768)), "malformed");
}

/// I05 to I09: the header alone decides, at once, whatever follows.
#[test]
fn bombs_and_empty_headers_are_refused_at_once() {
    let cases = [
        (png_header(30_000, 30_000, 1, 0), "side-too-long"),
        (png_header(30_000, 30_000, 8, 2), "side-too-long"),
        (png_header(0x7FFF_FFFF, 0x7FFF_FFFF, 8, 6), "side-too-long"),
        (png_header(1, 50_000_000, 8, 2), "side-too-long"),
        (png_header(50_000_000, 1, 8, 2), "side-too-long"),
        (png_header(12_000, 12_000, 1, 0), "too-many-pixels"),
        (png_header(7_072, 7_072, 16, 6), "too-many-pixels"),
        (png_header(7_000, 7_000, 16, 6), "too-much-memory"),
        (png_header(0, 480, 8, 2), "zero-size"),
        (png_header(640, 0, 8, 2), "zero-size"),
    ];
    for (header, wanted) in cases {
        let bytes = [&header[..], &chunk(b"IDAT", &[0; 100_000])].concat();
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

/// I10: compressed text and profiles are never opened.
#[test]
fn ancillary_bombs_are_not_opened() {
    let zeros = miniature_bomb();
    let text = [&b"Comment\0\0"[..], &zeros].concat();
    let international = [&b"Comment\0\x01\0\0\0"[..], &zeros].concat();
    let profile = [&b"icc\0\0"[..], &zeros].concat();
    let picture = lesion(32, 32);
    for (name, body) in [(b"zTXt", text), (b"iTXt", international), (b"iCCP", profile)] {
        let decoded = open(&with_chunk(&png_of(&picture), name, &body)).unwrap();
        assert_eq!(decoded.image, picture);
        assert_eq!(decoded.notes.contains(&Note::ProfilePassedOver), name == b"iCCP");
    }
}

/// 64 MiB of zeros, deflated, taken from a PNG of them.
fn miniature_bomb() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, 8_192, 8_192);
    encoder.set_color(ColorType::Grayscale);
    encoder.set_depth(BitDepth::Eight);
    encoder.write_header().unwrap().write_image_data(&vec![0; 8_192 * 8_192]).unwrap();
    let start = bytes.windows(4).position(|w| w == b"IDAT").unwrap();
    let length = u32::from_be_bytes(bytes[start - 4..start].try_into().unwrap()) as usize;
    bytes[start + 4..start + 4 + length].to_vec()
}

/// I15, golden pixels: `round(v / 257)` for each 16-bit sample.
#[test]
fn sixteen_bits_are_rounded_to_eight() {
    // 128/257 < 1/2 < 129/257; 0x80FF = 33023 = 128.49·257; 0x8100 = 33024 = 128.50·257 (rounded up by the half).
    let golden = [(0_u16, 0_u8), (128, 0), (129, 1), (257, 1), (0x80FF, 128), (0x8101, 129), (0xFFFE, 255), (0xFFFF, 255)];
    for (sample, wanted) in golden {
        let data: Vec<u8> = (0..256).flat_map(|_| sample.to_be_bytes()).collect();
        let decoded = open(&encoded(ColorType::Grayscale, BitDepth::Sixteen, &data, |_| {})).unwrap();
        assert!(decoded.image.pixels().all(|p| p.0 == [wanted; 3]), "{sample} became {:?}", decoded.image.get_pixel(0, 0));
        assert_eq!(decoded.notes, [Note::SixteenBitsReduced, Note::GreyExpanded]);
    }
}

/// I16.
#[test]
fn grey_palette_and_alpha_become_rgb_on_white() {
    let grey = open(&encoded(ColorType::Grayscale, BitDepth::One, &[0b1010_1010; 32], |_| {})).unwrap();
    assert_eq!((grey.image.get_pixel(0, 0).0, grey.image.get_pixel(1, 0).0), ([255; 3], [0; 3]));
    assert_eq!(grey.notes, [Note::GreyExpanded]);

    let palette = encoded(ColorType::Indexed, BitDepth::Eight, &[1; 256], |e| e.set_palette(vec![0, 0, 0, 200, 100, 50]));
    let palette = open(&palette).unwrap();
    assert_eq!((palette.image.get_pixel(3, 3).0, palette.notes), ([200, 100, 50], vec![Note::PaletteExpanded]));

    let half: Vec<u8> = [100, 0, 255, 128].repeat(256);
    let alpha = open(&encoded(ColorType::Rgba, BitDepth::Eight, &half, |_| {})).unwrap();
    // 100·128/255 + 255·127/255 = 177.2; 0 + 127 = 127; 255.
    assert_eq!((alpha.image.get_pixel(5, 5).0, alpha.notes), ([177, 127, 255], vec![Note::TransparencyOnWhite]));

    let opaque = open(&encoded(ColorType::Rgba, BitDepth::Eight, &[9, 8, 7, 255].repeat(256), |_| {})).unwrap();
    assert_eq!((opaque.image.get_pixel(0, 0).0, opaque.notes), ([9, 8, 7], vec![]));
}

/// I25: what else describes colours is told as a profile is; the gamma of sRGB is no news.
#[test]
fn other_colours_are_noted() {
    let picture = png_of(&lesion(32, 32));
    let notes = |name, body: &[u8]| open(&with_chunk(&picture, name, body)).unwrap().notes;
    assert_eq!(notes(b"gAMA", &45_455_u32.to_be_bytes()), []);
    assert_eq!(notes(b"sRGB", &[0]), []);
    assert_eq!(notes(b"gAMA", &100_000_u32.to_be_bytes()), [Note::ProfilePassedOver]);
    assert_eq!(notes(b"cICP", &[9, 16, 0, 1]), [Note::ProfilePassedOver]);
}

/// I17.
#[test]
fn an_animation_is_refused() {
    let bytes = encoded(ColorType::Rgb, BitDepth::Eight, &[50; 768], |e| e.set_animated(1, 0).unwrap());
    assert_eq!(code(&bytes), "animated");
}

#[test]
fn structures_that_break_the_rules_are_malformed() {
    let good = png_of(&lesion(32, 32));
    assert_eq!(code(&[&good[..8], &good[33..]].concat()), "malformed");
    assert_eq!(code(&png_header(32, 32, 8, 5)), "malformed");
    assert_eq!(code(&with_chunk(&good, b"IHDR", &good[16..29])), "malformed");
}
