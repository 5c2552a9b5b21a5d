//! Properties of heat maps, their overlays and their localisation figures.

use image::{GrayImage, Luma, Rgb, RgbImage};
use ndarray::{Array2, array};
use proptest::prelude::*;
use xai::metric::localisation::{area_corrected, area_share, centre_control, pointing_game, random_control, relevance_mass};
use xai::{Colormap, Error, HeatMap, OverlayStyle, Preprocessor, Rescale, Window, overlay, side_by_side};

/// Maps of any shape, with values of every size and sign.
fn maps() -> impl Strategy<Value = HeatMap> {
    (1usize..9, 1usize..9).prop_flat_map(|(rows, cols)| {
        let value = prop_oneof![-1.0f32..1.0, Just(0.0), -3.0e38f32..3.0e38, 0.0f32..1e-38];
        prop::collection::vec(value, rows * cols)
            .prop_map(move |values| HeatMap::new(Array2::from_shape_vec((rows, cols), values).unwrap()).unwrap())
    })
}

fn masks() -> impl Strategy<Value = GrayImage> {
    (1u32..20, 1u32..20).prop_flat_map(|(height, width)| {
        prop::collection::vec(prop_oneof![Just(0u8), Just(255u8)], (height * width) as usize)
            .prop_map(move |bytes| GrayImage::from_raw(width, height, bytes).unwrap())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_constant_map_stays_flat(value in -1e30f32..1e30, rows in 1usize..9, cols in 1usize..9) {
        let map = HeatMap::new(Array2::from_elem((rows, cols), value)).unwrap();
        prop_assert!(map.is_flat() && map.resize(13, 7).is_flat());
        prop_assert_eq!(map.resize(13, 7).range(), (value, value));
        for how in [Rescale::MinMax, Rescale::Percentile(0.9), Rescale::Symmetric] {
            prop_assert_eq!(map.rescale(how).range(), (0.0, 0.0));
        }
    }

    #[test]
    fn resizing_stays_finite_and_in_range(map in maps(), height in 0usize..30, width in 0usize..30) {
        let resized = map.resize(height, width);
        prop_assert_eq!(resized.values().dim(), (height.max(1), width.max(1)));
        let ((low, high), (least, most)) = (map.range(), resized.range());
        prop_assert!(low <= least && most <= high, "{low} <= {least}, {most} <= {high}");
    }

    #[test]
    fn rescaling_lands_in_the_colours_range(map in maps(), q in 0.0f32..=1.0) {
        for how in [Rescale::MinMax, Rescale::Percentile(q)] {
            let (low, high) = map.rescale(how).range();
            prop_assert!((0.0..=1.0).contains(&low) && (0.0..=1.0).contains(&high));
        }
        let (low, high) = map.rescale(Rescale::Symmetric).range();
        prop_assert!(low >= -1.0 && high <= 1.0);
        prop_assert!((0.0..=1.000_001).contains(&map.entropy()), "{}", map.entropy());
    }

    #[test]
    fn a_larger_share_needs_no_higher_threshold(map in maps(), one in 0.0f32..=1.0, other in 0.0f32..=1.0) {
        let (small, large) = (one.min(other), one.max(other));
        let threshold = map.mass_threshold(large);
        prop_assert!(map.mass_threshold(small) >= threshold);
        let sum = |keep: &dyn Fn(f32) -> bool| -> f64 {
            map.values().iter().map(|v| v.abs()).filter(|v| keep(*v)).map(f64::from).sum()
        };
        let held = sum(&|v| v >= threshold);
        prop_assert!(held >= sum(&|_| true) * f64::from(large) * (1.0 - 1e-9), "{held} held at {threshold}");
    }

    #[test]
    fn overlays_of_anything_keep_the_size(
        map in maps(), height in 0u32..40, width in 0u32..40, top in -50f32..50.0, left in -50f32..50.0, tall in -9f32..99.0, wide in -9f32..99.0,
        fill in prop::option::of(-1f32..2.0), contour in prop::option::of(-1f32..2.0),
    ) {
        let style = OverlayStyle { fill, contour, ..OverlayStyle::bare() };
        let drawn = overlay(&RgbImage::new(width, height), &map, &Window { top, left, height: tall, width: wide }, &style);
        prop_assert_eq!(drawn.dimensions(), (width, height));
    }

    #[test]
    fn localisation_is_a_share_and_uniform_is_zero(map in maps(), mask in masks()) {
        if mask.pixels().any(|pixel| pixel.0[0] > 0) {
            prop_assert!((0.0..=1.0).contains(&relevance_mass(&map, &mask).unwrap()));
            prop_assert!((0.0..=1.0).contains(&pointing_game(&map, &mask).unwrap()));
            let (rows, cols) = map.values().dim();
            let uniform = HeatMap::new(Array2::from_elem((rows, cols), 0.7)).unwrap();
            prop_assert!(area_corrected(&uniform, &mask).unwrap().abs() < 1e-9);
        } else {
            prop_assert!(matches!(relevance_mass(&map, &mask), Err(Error::EmptyMask { .. })), "an empty mask scores nothing");
        }
    }
}

fn corner_map() -> HeatMap {
    let mut values = Array2::zeros((6, 9));
    values[[0, 8]] = 1.0;
    values[[1, 8]] = 0.5;
    HeatMap::new(values).unwrap()
}

#[test]
fn a_lit_corner_stays_in_its_corner_of_a_wide_picture() {
    let grey = RgbImage::from_pixel(90, 60, Rgb([128; 3]));
    let filled = OverlayStyle { fill: Some(1.0), contour: None, ..OverlayStyle::bare() };
    let drawn = overlay(&grey, &corner_map(), &Window::whole(60, 90), &filled);
    let changed: Vec<(u32, u32)> = drawn.enumerate_pixels().filter(|(_, _, p)| p.0 != [128; 3]).map(|(x, y, _)| (x, y)).collect();
    assert!(changed.contains(&(89, 0)));
    assert!(changed.iter().all(|(x, y)| *x >= 74 && *y < 26), "only the upper right is lit");
    let (row, col) = (0, 8);
    assert_eq!(corner_map().resize(60, 90).values()[[row * 10 + 2, col * 10 + 5]], 1.0);
}

#[test]
fn without_fill_everything_off_the_line_is_untouched() {
    let picture = RgbImage::from_fn(120, 80, |x, y| Rgb([x as u8, y as u8, (x ^ y) as u8]));
    let map = centre_control(8, 12).unwrap();
    let drawn = overlay(&picture, &map, &Window::whole(80, 120), &OverlayStyle::bare());
    let level = map.resize(80, 120).mass_threshold(0.5);
    let (mut touched, mut spared) = (0, 0);
    for ((x, y, before), after) in picture.enumerate_pixels().zip(drawn.pixels()) {
        // The line is under 4 pixels wide; the field changes by less than 0.05 a pixel.
        if before == after {
            spared += 1;
        } else {
            touched += 1;
            let value = map.resize(80, 120).values()[[y as usize, x as usize]];
            assert!((value - level).abs() < 0.15, "pixel {x}, {y} is off the line: {value}, level {level}");
        }
    }
    assert!(touched > 100 && spared > 8000, "{touched} touched, {spared} spared");
}

#[test]
fn a_flat_map_is_labelled_and_neither_filled_nor_outlined() {
    let picture = RgbImage::from_pixel(450, 300, Rgb([180, 120, 110]));
    let uniform = HeatMap::new(Array2::from_elem((4, 4), 0.25)).unwrap();
    let drawn = overlay(
        &picture,
        &uniform,
        &Window::whole(300, 450),
        &OverlayStyle { contour: Some(0.5), fill: Some(1.0), ..OverlayStyle::bare() },
    );
    assert!(drawn.rows().take(10).any(|mut row| row.any(|pixel| pixel.0 == [20; 3])), "the label stands at the top");
    assert!(drawn.enumerate_pixels().filter(|(_, y, _)| *y > 40).all(|(_, _, pixel)| pixel.0 == [180, 120, 110]));
}

#[test]
fn what_the_model_did_not_see_is_darker_and_never_outlined() {
    let picture = RgbImage::from_pixel(600, 450, Rgb([200; 3]));
    let dinov2 = Preprocessor::from_config(r#"{"image_processor_type": "BitImageProcessor", "size": {"shortest_edge": 256}}"#).unwrap();
    let window = dinov2.field_of_view(450, 600);
    let drawn = overlay(&picture, &centre_control(16, 16).unwrap(), &window, &OverlayStyle::bare());
    assert_eq!(drawn.get_pixel(5, 225).0, [150; 3]);
    assert_eq!(drawn.get_pixel(300, 225).0, [200; 3]);
    assert_eq!(drawn.get_pixel(window.left as u32 + 4, 225).0, [200; 3]);
}

#[test]
fn signed_maps_are_red_and_blue_whatever_the_style_says() {
    let grey = RgbImage::from_pixel(40, 20, Rgb([128; 3]));
    let map = HeatMap::new(array![[4.0, 0.0, 0.0, -4.0]]).unwrap();
    let style = OverlayStyle { fill: Some(1.0), contour: None, colormap: Colormap::Viridis, ..OverlayStyle::bare() };
    let drawn = overlay(&grey, &map, &Window::whole(20, 40), &style);
    assert_eq!(drawn.get_pixel(2, 10).0, Colormap::RedBlue.colour(1.0));
    assert_eq!(drawn.get_pixel(37, 10).0, Colormap::RedBlue.colour(-1.0));
}

#[test]
fn a_legend_makes_room_below_and_small_pictures_readable() {
    let map = centre_control(7, 7).unwrap();
    let small = RgbImage::from_pixel(224, 224, Rgb([200; 3]));
    let style = OverlayStyle { caption: Some("a caption with an unusual sign: µ".into()), ..OverlayStyle::default() };
    let drawn = overlay(&small, &map, &Window::whole(224, 224), &style);
    assert_eq!(drawn.width(), 448);
    assert!(drawn.height() > 448 + 60, "{}", drawn.height());
    assert!(drawn.enumerate_pixels().any(|(_, y, pixel)| y > 460 && pixel.0[0] < 60), "dark letters on paper");
    let pair = side_by_side(&small, &drawn);
    assert!(pair.width() > 896 && pair.height() == drawn.height());
    let thin = overlay(&RgbImage::new(1, 3000), &map, &Window::whole(3000, 1), &style);
    assert!(thin.width() == 1 && thin.height() > 3000);
}

#[test]
fn an_empty_mask_is_an_error_and_never_a_hit() {
    // Elsewhere a missing mask turned NaN into "hit" (Quantus' pointing game).
    let map = centre_control(4, 4).unwrap();
    for mask in [GrayImage::new(8, 8), GrayImage::new(0, 0)] {
        assert!(matches!(pointing_game(&map, &mask), Err(Error::EmptyMask { .. })));
        assert!(matches!(relevance_mass(&map, &mask), Err(Error::EmptyMask { .. })));
        assert!(matches!(area_share(&mask), Err(Error::EmptyMask { .. })));
    }
}

#[test]
fn ties_and_zeros_score_chance() {
    let left = GrayImage::from_fn(8, 4, |x, _| Luma([if x < 2 { 255 } else { 0 }]));
    let constant = HeatMap::new(Array2::zeros((4, 8))).unwrap();
    assert_eq!(pointing_game(&constant, &left).unwrap(), 0.25);
    assert_eq!(relevance_mass(&constant, &left).unwrap(), 0.25);
    assert_eq!(area_corrected(&constant, &left).unwrap(), 0.0);
}

#[test]
fn the_controls_are_what_they_say() {
    let centre = centre_control(5, 9).unwrap();
    assert_eq!(centre.values()[[2, 4]], 1.0);
    assert_eq!(centre.values()[[0, 0]], centre.values()[[4, 8]]);
    let one = random_control(40, 50, 7).unwrap();
    assert_eq!(one, random_control(40, 50, 7).unwrap());
    assert_ne!(one, random_control(40, 50, 8).unwrap());
    let mean = one.values().mean().unwrap();
    assert!((mean - 0.5).abs() < 0.02 && one.range().0 >= 0.0 && one.range().1 < 1.0, "{mean}");
    assert!(centre_control(0, 3).is_err() && random_control(3, 0, 1).is_err());
}
