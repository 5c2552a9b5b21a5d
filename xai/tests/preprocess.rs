//! The preprocessor against the reference's own output, exported by `goldens/export_preprocess.py`.

use image::RgbImage;
use safetensors::{SafeTensors, tensor::TensorView};
use xai::{Error, Normalization, Preprocessor, Resample, Window};

const GOLDENS: &[u8] = include_bytes!("goldens/preprocess.safetensors");

#[test]
fn what_the_model_sees_is_what_the_reference_shows_it() {
    let (tensors, configs) = goldens();
    assert!(configs.len() >= 20, "{} cases", configs.len());
    let mut worst = 0;
    for (name, config) in &configs {
        let expected = picture(&tensors.tensor(&format!("{name}.seen")).unwrap());
        let seen = preprocessor(config).seen(&input(&tensors, name)).unwrap();
        let difference = largest_difference(name, &seen, &expected);
        println!("{name:20} {difference}/255");
        assert!(difference <= 1, "{name}: a channel differs by {difference}/255 from the reference");
        let exact = name.starts_with("nearest") || name == "crop_only" || name == "already_there";
        assert!(!exact || difference == 0, "{name}: copied pixels must be equal");
        worst = worst.max(difference);
    }
    println!("largest difference of all cases: {worst}/255");
}

#[test]
fn normalised_pixels_follow_within_one_level() {
    let (tensors, configs) = goldens();
    let mut compared = 0;
    for (name, config) in &configs {
        let Ok(expected) = tensors.tensor(&format!("{name}.pixels")) else { continue };
        let batch = preprocessor(config).prepare(&input(&tensors, name)).unwrap();
        let level = level_of(config);
        let (height, width) = (expected.shape()[1], expected.shape()[2]);
        for (index, want) in floats(&expected).into_iter().enumerate() {
            let (channel, row, col) = (index / (height * width), index / width % height, index % width);
            let have = batch.pixels()[[0, channel, row, col]];
            let close = (have - want).abs() <= 1.01 * level[channel];
            assert!(close, "{name} [{channel}, {row}, {col}]: {have}, expected {want}, apart {}", have - want);
            compared += 1;
        }
    }
    assert!(compared > 3000, "only {compared} values compared");
}

#[test]
fn where_the_bytes_agree_the_normalised_bits_agree() {
    let (tensors, configs) = goldens();
    let mut equal = 0;
    for (name, config) in &configs {
        let Ok(expected) = tensors.tensor(&format!("{name}.pixels")) else { continue };
        let expected_seen = tensors.tensor(&format!("{name}.seen")).unwrap();
        let preprocessor = preprocessor(config);
        let image = input(&tensors, name);
        let (seen, batch) = (preprocessor.seen(&image).unwrap(), preprocessor.prepare(&image).unwrap());
        let (height, width) = (expected.shape()[1], expected.shape()[2]);
        for (index, want) in floats(&expected).into_iter().enumerate() {
            let (channel, row, col) = (index / (height * width), index / width % height, index % width);
            let byte = seen.get_pixel(col as u32, row as u32)[channel];
            if byte == expected_seen.data()[(row * width + col) * 3 + channel] {
                let have = batch.pixels()[[0, channel, row, col]];
                assert_eq!(have.to_bits(), want.to_bits(), "{name} [{channel}, {row}, {col}]: {have}, expected {want}");
                equal += 1;
            }
        }
    }
    assert!(equal > 3000, "only {equal} values compared");
}

#[test]
fn the_comparison_can_fail() {
    let grey = RgbImage::from_pixel(3, 2, image::Rgb([9, 9, 9]));
    let mut other = grey.clone();
    other.get_pixel_mut(2, 1)[2] = 11;
    assert_eq!(largest_difference("grey", &grey, &other), 2);
}

#[test]
fn every_case_has_the_size_it_announces() {
    let (tensors, configs) = goldens();
    for (name, config) in &configs {
        let preprocessor = preprocessor(config);
        let seen = preprocessor.seen(&input(&tensors, name)).unwrap();
        assert_eq!(preprocessor.output_size(), (seen.height() as usize, seen.width() as usize), "{name}");
    }
}

#[test]
fn the_field_of_view_is_the_crop_in_original_pixels() {
    let dinov2 = r#"{"image_processor_type": "BitImageProcessor", "size": {"shortest_edge": 256}}"#;
    let dinov2 = Preprocessor::from_config(dinov2).unwrap();
    // 450x600 becomes 256x341; the crop starts at row 16 and column 58 of it.
    let seen = dinov2.field_of_view(450, 600);
    assert_eq!((seen.top, seen.height), (28.125, 393.75));
    let col = 600.0 / 341.0;
    assert!((seen.left - 58.0 * col).abs() < 1e-3 && (seen.width - 224.0 * col).abs() < 1e-3, "{seen:?}");

    let padded = r#"{"do_resize": false, "do_center_crop": true, "crop_size": {"height": 40, "width": 40}}"#;
    let seen = Preprocessor::from_config(padded).unwrap().field_of_view(43, 37);
    assert_eq!(seen, Window { top: 1.0, left: -2.0, height: 40.0, width: 40.0 });
}

#[test]
fn refusals_name_the_field() {
    let cases = [
        ("nonsense", "(whole file)"),
        ("[1]", "(whole file)"),
        (r#"{"image_processor_type": "SegformerImageProcessor"}"#, "image_processor_type"),
        (r#"{"image_processor_type": 3}"#, "image_processor_type"),
        (r#"{"size": {"shortest_edge": 20, "longest_edge": 40}}"#, "size.longest_edge"),
        (r#"{"size": {"longest_edge": 40}}"#, "size.longest_edge"),
        (r#"{"size": {"height": 40}}"#, "size.width"),
        (r#"{"size": {"height": 40, "width": 0}}"#, "size.width"),
        (r#"{"size": -3}"#, "size.height"),
        (r#"{"size": 5000}"#, "size.height"),
        (r#"{"size": [1, 2, 3]}"#, "size"),
        (r#"{"size": {"shortest_edge": 20}}"#, "do_center_crop"),
        (r#"{"do_resize": false}"#, "do_center_crop"),
        (r#"{"do_resize": "yes"}"#, "do_resize"),
        (r#"{"do_center_crop": true}"#, "crop_size"),
        (r#"{"do_center_crop": true, "crop_size": {"shortest_edge": 3}}"#, "crop_size.shortest_edge"),
        (r#"{"resample": 5}"#, "resample"),
        (r#"{"resample": "bicubic"}"#, "resample"),
        (r#"{"rescale_factor": 0}"#, "rescale_factor"),
        (r#"{"rescale_factor": 1e300}"#, "rescale_factor"),
        (r#"{"image_mean": [0.5, 0.5]}"#, "image_mean"),
        (r#"{"image_mean": [0.5, 0.5, null]}"#, "image_mean"),
        (r#"{"image_std": [0.5, 0, 0.5]}"#, "image_std"),
        (r#"{"image_std": 1e-320}"#, "image_std"),
        (r#"{"do_pad": true}"#, "do_pad"),
        (r#"{"crop_pct": 0.875}"#, "crop_pct"),
        (r#"{"data_format": "channels_last"}"#, "data_format"),
    ];
    for (json, named) in cases {
        match Preprocessor::from_config(json) {
            Err(Error::Config { field, .. }) => assert_eq!(field, named, "{json}"),
            other => panic!("{json}: {other:?}"),
        }
    }
}

#[test]
fn extreme_pictures_are_refused_before_memory_is_taken() {
    let dinov2 = Preprocessor::from_config(r#"{"image_processor_type": "BitImageProcessor"}"#).unwrap();
    for (width, height) in [(0, 5), (0, 0), (1, 60_000_000)] {
        let picture = RgbImage::from_raw(width, height, vec![0; (width * height * 3) as usize]).unwrap();
        assert!(matches!(dinov2.prepare(&picture), Err(Error::Picture { .. })), "{width}x{height}");
    }
    let dot = RgbImage::new(1, 1);
    assert!(matches!(Preprocessor::for_size(0, 8).prepare(&dot), Err(Error::Picture { .. })));
    assert!(matches!(Preprocessor::for_size(usize::MAX, 8).prepare(&dot), Err(Error::Picture { .. })));
}

#[test]
fn settings_can_be_changed_one_by_one() {
    let white = RgbImage::from_pixel(4, 4, image::Rgb([255; 3]));
    let plain = Preprocessor::for_size(2, 2);
    assert_eq!(plain.prepare(&white).unwrap().pixels()[[0, 0, 1, 1]], 1.0);
    let imagenet = plain.clone().with_normalization(Normalization::IMAGENET).with_resample(Resample::Nearest);
    assert_eq!(imagenet.prepare(&white).unwrap().pixels()[[0, 2, 0, 0]], (1.0 - 0.406) / 0.225);
}

fn goldens() -> (SafeTensors<'static>, Vec<(String, String)>) {
    let (_, header) = SafeTensors::read_metadata(GOLDENS).unwrap();
    let mut configs: Vec<_> = header.metadata().clone().unwrap().into_iter().collect();
    configs.sort();
    (SafeTensors::deserialize(GOLDENS).unwrap(), configs)
}

/// Cases that only keep a corner of a large output are named after the defaults they check.
fn preprocessor(config: &str) -> Preprocessor {
    Preprocessor::from_config(config).unwrap_or_else(|refusal| panic!("{config}: {refusal}"))
}

fn input(tensors: &SafeTensors, name: &str) -> RgbImage {
    picture(&tensors.tensor(&format!("{name}.input")).unwrap())
}

fn picture(tensor: &TensorView) -> RgbImage {
    let (height, width) = (tensor.shape()[0], tensor.shape()[1]);
    RgbImage::from_raw(width as u32, height as u32, tensor.data().to_vec()).unwrap()
}

fn floats(tensor: &TensorView) -> Vec<f32> {
    tensor.data().chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect()
}

/// Largest difference of a channel over the corner that `expected` keeps; all of it, except for the default sizes.
fn largest_difference(name: &str, seen: &RgbImage, expected: &RgbImage) -> u8 {
    let corner = name.starts_with("default");
    assert!(corner || seen.dimensions() == expected.dimensions(), "{name}: {:?}", seen.dimensions());
    let pixels = expected.enumerate_pixels();
    let differences = pixels.flat_map(|(col, row, want)| {
        let have = seen.get_pixel(col, row);
        (0..3).map(|channel| have[channel].abs_diff(want[channel]))
    });
    differences.max().unwrap()
}

/// What one level of 255 becomes after rescaling and normalising.
fn level_of(config: &str) -> [f32; 3] {
    let preprocessor = preprocessor(config);
    let shade = |value| RgbImage::from_pixel(8, 8, image::Rgb([value; 3]));
    let dark = preprocessor.prepare(&shade(100)).unwrap();
    let light = preprocessor.prepare(&shade(101)).unwrap();
    let (_, _, height, width) = dark.pixels().dim();
    let middle = |channel| [0, channel, height / 2, width / 2];
    std::array::from_fn(|channel| light.pixels()[middle(channel)] - dark.pixels()[middle(channel)])
}
