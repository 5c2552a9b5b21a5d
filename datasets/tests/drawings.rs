//! What drawn lesions promise: the same bytes from the same seeds, exact masks, artefacts blind to the class, lesions off the middle.

use std::collections::HashSet;

use datasets::LesionClass;
use datasets::synthetic::{Artefact, DrawnLesion, Finding, SMALLEST_SIZE, Seeds, SkinTone, draw, draw_from};
use image::GrayImage;
use proptest::prelude::*;
use rayon::prelude::*;

/// FNV-1a, to compare pictures with a number that stands in this file.
fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3))
}

fn share(mask: &GrayImage) -> f64 {
    mask.pixels().filter(|p| p.0[0] == 255).count() as f64 / f64::from(mask.width() * mask.height())
}

/// Centre of the mask in shares of the side, height first.
fn centre(mask: &GrayImage) -> (f64, f64) {
    let inside: Vec<_> = mask.enumerate_pixels().filter(|(_, _, p)| p.0[0] == 255).collect();
    let n = inside.len() as f64 * f64::from(mask.width());
    let (y, x) = inside.iter().fold((0.0, 0.0), |(y, x), (px, py, _)| (y + f64::from(*py), x + f64::from(*px)));
    (y / n, x / n)
}

fn many(class: LesionClass, count: u64, size: u32) -> Vec<DrawnLesion> {
    (0..count).into_par_iter().map(|seed| draw(class, seed, size)).collect()
}

#[test]
fn the_same_seeds_give_the_same_bytes_again() {
    for class in LesionClass::ALL {
        let (a, b) = (draw(class, 42, 80), draw(class, 42, 80));
        assert_eq!((a.image.as_raw(), a.mask.as_raw()), (b.image.as_raw(), b.mask.as_raw()), "{class}");
        assert_eq!((a.findings, a.artefacts, a.tone), (b.findings, b.artefacts, b.tone));
        assert_ne!(a.image, draw(class, 43, 80).image);
    }
}

/// The number was taken on `x86_64`; it must be met on every machine. A wanted change of the drawings changes it too.
#[test]
fn the_bytes_are_those_of_every_machine() {
    let all: Vec<u8> = LesionClass::ALL.into_iter().flat_map(|class| draw(class, 7, 64).image.into_raw()).collect();
    assert_eq!(fingerprint(&all), GOLDEN, "the drawings changed: {:#018x}", fingerprint(&all));
}

const GOLDEN: u64 = 0x904D_5765_35D5_2376;

#[test]
fn masks_are_exact_black_and_white_and_never_empty() {
    for class in LesionClass::ALL {
        for drawn in many(class, 60, 48) {
            assert!(drawn.mask.pixels().all(|p| matches!(p.0[0], 0 | 255)));
            let share = share(&drawn.mask);
            assert!(share > 0.0 && share < 0.97, "{class}: {share} of the picture");
            assert!(drawn.long_diameter_mm > 1.5 && drawn.long_diameter_mm < 30.0, "{}", drawn.long_diameter_mm);
        }
    }
}

#[test]
fn the_lesion_is_where_the_mask_says() {
    // Pigmented classes are darker inside than outside, whatever the skin.
    for class in [LesionClass::Nevus, LesionClass::Melanoma, LesionClass::SeborrheicKeratosis] {
        let tones = many(class, 40, 96).into_iter().filter(|d| !d.artefacts.contains(&Artefact::Vignette) && d.tone <= SkinTone::IV);
        let darker: Vec<bool> = tones
            .map(|drawn| {
                let (mut inside, mut outside) = ((0.0, 0.0), (0.0, 0.0));
                for (pixel, mask) in drawn.image.pixels().zip(drawn.mask.pixels()) {
                    let sum = if mask.0[0] == 255 { &mut inside } else { &mut outside };
                    *sum = (sum.0 + f64::from(pixel.0[1]), sum.1 + 1.0);
                }
                inside.0 / inside.1 + 12.0 < outside.0 / outside.1
            })
            .collect();
        let hits = darker.iter().filter(|d| **d).count();
        assert!(hits * 20 >= darker.len() * 19, "{class}: only {hits} of {} are darker inside", darker.len());
    }
}

#[test]
fn lesions_are_spread_over_the_picture_and_of_many_sizes() {
    let drawn: Vec<_> = LesionClass::ALL.into_iter().flat_map(|class| many(class, 60, 48)).collect();
    let off = |d: &DrawnLesion| {
        let (y, x) = centre(&d.mask);
        (y - 0.5).hypot(x - 0.5)
    };
    let far = drawn.iter().filter(|d| off(d) > 0.15).count();
    assert!(far * 10 >= drawn.len() * 3, "{far} of {} lie off the middle", drawn.len());
    let shares: Vec<f64> = drawn.iter().map(|d| share(&d.mask)).collect();
    assert!(shares.iter().any(|s| *s < 0.04) && shares.iter().any(|s| *s > 0.5), "sizes vary");
    let centre_hit = drawn.iter().filter(|d| d.mask.get_pixel(24, 24).0[0] == 255).count();
    assert!(centre_hit * 10 <= drawn.len() * 9, "a fixed point at the centre hits {centre_hit} of {}", drawn.len());
}

#[test]
fn artefacts_do_not_know_the_class() {
    for seed in 0..120 {
        let artefacts: HashSet<Vec<Artefact>> = LesionClass::ALL.into_iter().map(|class| draw(class, seed, 16).artefacts).collect();
        assert_eq!(artefacts.len(), 1, "seed {seed}: {artefacts:?}");
    }
    let seen: HashSet<Artefact> = (0..200).flat_map(|seed| draw(LesionClass::Nevus, seed, 16).artefacts).collect();
    assert_eq!(seen.len(), Artefact::ALL.len(), "every kind occurs: {seen:?}");
}

#[test]
fn every_class_varies_in_what_it_shows() {
    for class in LesionClass::ALL {
        let patterns: HashSet<Vec<Finding>> = (0..40).map(|seed| draw(class, seed, 16).findings).collect();
        let fewest = if class == LesionClass::Nevus { 3 } else { 4 };
        assert!(patterns.len() >= fewest, "{class} shows only {patterns:?}");
    }
}

#[test]
fn a_lesion_seen_twice_is_the_same_lesion() {
    let seeds = |view| Seeds { patient: 1, lesion: 2, view };
    let shot = |view| draw_from(LesionClass::Melanoma, seeds(view), SkinTone::III, 64);
    let (a, b) = (shot(10), shot(11));
    assert_ne!(a.image, b.image);
    assert_eq!((a.findings, a.long_diameter_mm), (b.findings, b.long_diameter_mm));
}

#[test]
fn darker_tones_are_darker() {
    let brightness = |tone| {
        let images = (0..12).map(|seed| draw_from(LesionClass::Nevus, Seeds::all(seed), tone, 32).image);
        images.map(|image| image.as_raw().iter().map(|v| f64::from(*v)).sum::<f64>()).sum::<f64>()
    };
    let values = SkinTone::ALL.map(brightness);
    assert!(values.is_sorted_by(|a, b| a > b), "{values:?}");
}

#[test]
fn another_resolution_shows_the_same_lesion() {
    for class in LesionClass::ALL {
        let (small, large) = (draw(class, 5, 56), draw(class, 5, 224));
        let (a, b) = (share(&small.mask), share(&large.mask));
        assert!((a - b).abs() <= 0.02, "{class}: {a} against {b}");
    }
}

#[test]
fn sizes_out_of_bounds_are_held() {
    assert_eq!(draw(LesionClass::Nevus, 1, 0).image.width(), SMALLEST_SIZE);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn no_seed_panics(class in 0..7_usize, seed: u64, size in 0..70_u32) {
        let drawn = draw(LesionClass::from_index(class).unwrap(), seed, size);
        prop_assert_eq!(drawn.image.dimensions(), drawn.mask.dimensions());
        prop_assert!(drawn.mask.pixels().any(|p| p.0[0] == 255));
    }
}
