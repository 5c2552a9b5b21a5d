//! `pellucid explain` on good pictures.

use crate::files::{assert_sha256, map, numbers, text};
use crate::pictures::{jpeg, lesion, png, png_of_a_turned_camera};
use crate::run::{parse, setup};

const TINY: &str = "random:tiny_for_tests+linear:7";

#[test]
fn every_map_is_written_in_three_files_and_one_json() {
    let (dir, pellucid) = setup("explain_files");
    dir.write("lesion.png", &png(&lesion(64, 96)));
    pellucid.line("explain lesion.png --model").args([TINY]).succeeds().says(&["rollout", "relevance"]);
    let endings = ["full.npy", "grid.npy", "png"];
    let mut expected: Vec<String> =
        endings.iter().flat_map(|ending| ["relevance", "rollout"].map(|method| format!("lesion.{method}.{ending}"))).collect();
    expected.push("explanation.json".into());
    expected.sort();
    assert_eq!(dir.names("maps"), expected);
    for method in ["rollout", "relevance"] {
        // 8x12 pixels in patches of 4: rows before columns.
        assert_eq!(map(&dir.path(&format!("maps/lesion.{method}.grid.npy"))).dim(), (2, 3));
        assert_eq!(map(&dir.path(&format!("maps/lesion.{method}.full.npy"))).dim(), (8, 12));
        let pair = image::open(dir.path(&format!("maps/lesion.{method}.png"))).expect("the overlay is a picture");
        assert!(pair.width() > 2 * 96 && pair.height() >= 64, "{}x{}", pair.height(), pair.width());
    }
}

#[test]
fn the_json_holds_what_is_needed_to_find_it_again() {
    let (dir, pellucid) = setup("explain_json");
    let bytes = png(&lesion(64, 96));
    dir.write("lesion.png", &bytes);
    pellucid.line("explain lesion.png --method relevance --model").args([TINY]).succeeds();
    let found = dir.json("maps/explanation.json");
    assert!(text(&found["notice"]).contains("Research use only"), "{found}");
    assert_eq!((found["model"]["parameters"].as_u64(), found["refused"].as_array().map(Vec::len)), (Some(3167), Some(0)));
    assert_sha256(&found["model"]["sha256"]);
    let image = &found["images"][0];
    assert_eq!(image["sha256"], xai::sha256(&bytes), "the picture's own bytes");
    assert_eq!((text(&image["file"]), numbers(&image["size"])), ("lesion.png", vec![64.0, 96.0]));
    let (logits, probabilities) = (numbers(&image["logits"]), numbers(&image["probabilities"]));
    assert_eq!((logits.len(), probabilities.len()), (7, 7));
    let sum: f64 = probabilities.iter().sum();
    assert!((sum - 1.0).abs() < 1e-6, "probabilities sum to {sum}");
    for (class, probability) in probabilities.iter().enumerate() {
        let softmax = logits[class].exp() / logits.iter().map(|logit| logit.exp()).sum::<f64>();
        assert!((probability - softmax).abs() < 1e-6, "class {class}: {probability} but softmax gives {softmax}");
    }
    let shown = &image["maps"][0];
    assert_eq!(["overlay", "grid", "full"].map(|file| dir.exists(&format!("maps/{}", text(&shown[file])))), [true; 3], "{shown}");
    assert_sha256(&shown["recipe_hash"]);
    assert_eq!(shown["recipe"]["model_sha256"], found["model"]["sha256"]);
    let values = map(&dir.path(&format!("maps/{}", text(&shown["grid"]))));
    let ends = [values.iter().copied().fold(f32::INFINITY, f32::min), values.iter().copied().fold(f32::NEG_INFINITY, f32::max)];
    assert_eq!(numbers(&shown["range"]).iter().map(|&end| end as f32).collect::<Vec<_>>(), ends, "the range is the grid's own");
}

#[test]
fn the_shipped_model_names_the_seven_classes_and_says_what_it_is() {
    let (dir, pellucid) = setup("explain_drawn");
    dir.write("lesion.jpg", &jpeg(&lesion(200, 240)));
    let answer =
        pellucid.line("explain lesion.jpg --model drawn --method relevance --target melanoma:nevus --json --out answer").succeeds();
    answer.warns(&["trained on drawn lesions", "mean nothing"]);
    let found = parse(&answer.stdout);
    assert_eq!(found, dir.json("answer/explanation.json"), "--json prints the very file");
    assert_eq!(
        (text(&found["images"][0]["target"]), found["model"]["classes"].as_array().map(Vec::len)),
        ("melanoma against nevus", Some(7))
    );
    assert_eq!(map(&dir.path("answer/lesion.relevance.grid.npy")).dim(), (12, 12));
    assert_eq!(map(&dir.path("answer/lesion.relevance.full.npy")).dim(), (168, 168));
}

#[test]
fn the_same_question_gives_the_same_bytes() {
    let (dir, pellucid) = setup("explain_twice");
    dir.write("lesion.png", &png(&lesion(64, 64)));
    pellucid.line("explain lesion.png --model drawn --out first").succeeds();
    dir.pellucid().line("explain lesion.png --model drawn --out second").succeeds();
    for name in dir.names("first").iter().filter(|name| *name != "explanation.json") {
        let read = |folder: &str| std::fs::read(dir.path(&format!("{folder}/{name}"))).unwrap();
        assert!(read("first") == read("second"), "{name} differs between two runs");
    }
}

#[test]
fn all_runs_every_method_there_is() {
    let (dir, pellucid) = setup("explain_all");
    dir.write("lesion.png", &png(&lesion(64, 96)));
    pellucid.line("explain lesion.png --method all --model").args([TINY]).succeeds();
    for (method, ..) in xai::Method::named() {
        let full = map(&dir.path(&format!("maps/lesion.{method}.full.npy")));
        assert!(full.dim() == (8, 12) && full.iter().all(|value| value.is_finite()), "{method}: {full}");
    }
}

#[test]
fn integrated_gradients_tell_what_they_miss() {
    let (dir, _) = setup("explain_integrated");
    dir.write("lesion.png", &png(&lesion(64, 96)));
    dir.write("grey.png", &png(&image::RgbImage::from_pixel(96, 64, image::Rgb([90; 3]))));
    let ask = "explain lesion.png --method integrated-gradients --model";
    let asked = |arguments: &str, out: &str| {
        let run = dir.pellucid().line(ask).args([TINY, "--out", out]).line(arguments).succeeds();
        run.says(&["completeness: gap", "steps"]);
        let map = dir.json(&format!("{out}/explanation.json"))["images"][0]["maps"][0].clone();
        let gap = &map["completeness_gap"];
        let sum: f64 =
            crate::files::map(&dir.path(&format!("{out}/lesion.integrated-gradients.full.npy"))).iter().map(|&v| f64::from(v)).sum();
        let number = |name: &str| gap[name].as_f64().unwrap_or(f64::NAN);
        let missed = sum - (number("score") - number("baseline_score"));
        assert!((missed - number("absolute")).abs() < 1e-5, "{gap}: the map misses {missed}");
        map
    };
    let adaptive = asked("--tolerance 0.001", "adaptive");
    assert_eq!(text(&adaptive["completeness_gap"]["outcome"]), "tolerance_met");
    assert!(adaptive["completeness_gap"]["relative"].as_f64().is_some_and(|share| share <= 1e-3 + 1e-6), "{adaptive}");
    let short = asked("--tolerance 1e-6 --most-steps 3 --baseline white", "short");
    assert_eq!((text(&short["completeness_gap"]["outcome"]), short["completeness_gap"]["steps"].as_u64()), ("step_limit", Some(3)));
    let fixed = asked("--steps 12 --baseline grey.png", "fixed");
    assert_eq!((text(&fixed["completeness_gap"]["outcome"]), fixed["completeness_gap"]["steps"].as_u64()), ("fixed_steps", Some(12)));
    assert_sha256(&fixed["recipe"]["method"]["integrated_gradients"]["baseline"]["given"]["sha256"]);
    assert_ne!(adaptive["recipe_hash"], fixed["recipe_hash"]);
}

#[test]
fn a_seed_decides_the_noise() {
    let (dir, _) = setup("explain_noise");
    dir.write("lesion.png", &png(&lesion(64, 96)));
    let map_of = |arguments: &str, out: &str| {
        let run = dir.pellucid().line("explain lesion.png --method smoothgrad --samples 4 --model").args([TINY, "--out", out]);
        run.line(arguments).succeeds();
        map(&dir.path(&format!("{out}/lesion.smoothgrad.full.npy")))
    };
    let [first, again, other, more] =
        [("", "a"), ("--noise-seed 0", "b"), ("--noise-seed 1", "c"), ("--noise 0.3", "d")].map(|(arguments, out)| map_of(arguments, out));
    assert_eq!(first, again);
    assert!(first != other && first != more, "neither the seed nor the noise shows");
}

#[test]
fn a_turned_camera_changes_nothing() {
    let (dir, pellucid) = setup("explain_turned");
    let upright = lesion(64, 96);
    dir.write("upright.png", &png(&upright));
    dir.write("turned.png", &png_of_a_turned_camera(&upright));
    pellucid.line("explain upright.png turned.png --model drawn").succeeds();
    let images = &dir.json("maps/explanation.json")["images"];
    assert_eq!(numbers(&images[1]["size"]), [64.0, 96.0], "height before width, upright");
    assert!(images[1]["notes"][0].as_str().is_some_and(|note| note.contains("orientation 6")), "{}", images[1]["notes"]);
    assert_eq!(images[0]["logits"], images[1]["logits"]);
    assert_eq!(map(&dir.path("maps/upright.relevance.full.npy")), map(&dir.path("maps/turned.relevance.full.npy")));
}

#[test]
fn a_light_corner_stays_in_its_corner() {
    let (dir, pellucid) = setup("explain_corner");
    let mut picture = image::RgbImage::from_pixel(96, 64, image::Rgb([128; 3]));
    (0..32).for_each(|y| (64..96).for_each(|x| picture.put_pixel(x, y, image::Rgb([255; 3]))));
    dir.write("corner.png", &png(&picture));
    pellucid.line("explain corner.png --method input-x-gradient --model").args([TINY]).succeeds();
    let full = map(&dir.path("maps/corner.input-x-gradient.full.npy")).mapv(f32::abs);
    // Grey is all but zero after normalisation, so only the light corner, top and right, carries pixel times gradient;
    // shrinking eight times blurs it by one pixel.
    let (corner, all) = (full.slice(ndarray::s![..5, 7..]).sum(), full.sum());
    assert!(corner > 0.9 * all, "the corner holds {corner} of {all}\n{full}");
}

#[test]
fn pictures_of_one_name_do_not_overwrite_each_other() {
    let (dir, pellucid) = setup("explain_same_name");
    dir.write("left/lesion.png", &png(&lesion(64, 96)));
    dir.write("right/lesion.png", &png(&lesion(96, 64)));
    pellucid.line("explain left/lesion.png right/lesion.png --method rollout --model").args([TINY]).succeeds();
    let images = dir.json("maps/explanation.json")["images"].clone();
    let files: Vec<&str> = (0..2).map(|image| text(&images[image]["maps"][0]["grid"])).collect();
    assert!(files[0] != files[1] && files.iter().all(|file| dir.exists(&format!("maps/{file}"))), "{files:?}");
}
