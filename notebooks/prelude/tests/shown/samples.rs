//! Ordinary values.

use pellucid::prelude::*;

use super::shown;

/// Mime types of a value, without plain text.
fn mimes(value: &dyn std::any::Any) -> Vec<String> {
    shown(value).into_bundle().keys().filter(|mime| *mime != "text/plain").cloned().collect()
}

#[test]
fn pictures_are_png() {
    let lesion = drawn::lesion(3, LesionClass::Melanoma);
    assert_eq!(mimes(&lesion.picture), ["image/png"]);
    assert_eq!(mimes(&lesion.mask.clone().unwrap()), ["image/png"]);
    assert_eq!(mimes(&DynamicImage::from(lesion.picture.clone())), ["image/png"]);
    assert_eq!(mimes(&image::RgbaImage::new(3, 2)), ["image/png"]);
    let png = shown(&lesion).png.unwrap();
    assert_eq!(image::load_from_memory(&png).unwrap().to_rgb8(), lesion.picture, "small pictures are shown as they are");
}

#[test]
fn an_explanation_shows_the_lesion_its_map_and_what_it_is_not() {
    let model = load("drawn").unwrap();
    let explanation = model.explain(drawn::lesion(3, LesionClass::Melanoma), Method::relevance()).unwrap();
    let rendering = shown(&explanation);
    let html = rendering.html.as_deref().unwrap();
    for words in
        ["<img alt=", "Research use only", "trained on drawn lesions", "recipe (SHA-256)", &explanation.recipe().hash(), "melanoma"]
    {
        assert!(html.contains(words), "{words} is missing");
    }
    assert!(
        rendering.plain.contains("Research use only") && rendering.plain.contains("relevance of drawn melanoma 3"),
        "{}",
        rendering.plain
    );
    let png = image::load_from_memory(rendering.png.as_deref().unwrap()).unwrap();
    assert!(png.width() > 2 * 224, "both pictures side by side, {} pixels wide", png.width());
    assert_eq!(mimes(explanation.attribution()), ["image/png", "text/html"]);
    assert_eq!(mimes(explanation.heat_map()), ["image/png", "text/html"]);
    assert_eq!(mimes(&explanation.prediction), ["text/html"]);
}

#[test]
fn several_explanations_stand_beside_each_other_and_are_named() {
    let model = load("drawn").unwrap();
    let maps = model.compare(drawn::lesion(3, LesionClass::Melanoma), &[Method::rollout(), Method::relevance()]).unwrap();
    let html = shown(&maps).html.unwrap();
    assert_eq!((html.matches("<img").count(), html.matches("Research use only").count()), (2, 1));
    assert!(html.contains("<strong>rollout</strong>") && html.contains("<strong>relevance</strong>"));
    assert!(shown(&vec![maps[0].clone()]).html.unwrap().contains("true class"), "one alone is shown in full");
}

#[test]
fn a_flat_map_is_said_to_be_flat() {
    let model = load("random:vit_drawn_patch14_168").unwrap();
    let mut explanation = model.explain(drawn::lesion(3, LesionClass::Nevus), Method::rollout()).unwrap();
    explanation.style = OverlayStyle::default();
    assert!(explanation.heat_map().is_flat(), "random weights attend evenly: {}", explanation.heat_map().entropy());
    let html = shown(&explanation).html.unwrap();
    assert!(html.contains("no localised evidence") && html.contains("weights are random"), "{}", &html[html.len() - 500..]);
    assert!(shown(explanation.heat_map()).plain.contains("no localised evidence"));
}

#[test]
fn a_batch_is_a_sheet_and_attention_a_table_of_heads() {
    let model = load("drawn").unwrap();
    let trace = model.look_at(&drawn::lesions(5), Probe::Attention).unwrap();
    let sheet = shown(trace.batch());
    assert!(sheet.plain.starts_with("Batch of 5 pictures"), "{}", sheet.plain);
    let picture = image::load_from_memory(sheet.png.as_deref().unwrap()).unwrap();
    assert_eq!((picture.width(), picture.height()), (3 * 130, 2 * 130), "five in three columns");
    let heads = model.attention_sheet(drawn::lesion(1, LesionClass::Nevus)).unwrap();
    assert_eq!(shown(&heads).html.unwrap().matches("<img").count(), 6 * 3);
}

#[test]
fn tables_have_shape_and_kinds() {
    let frame = df!("class" => ["nevus", "melanoma"], "count" => [3_i64, 4]).unwrap();
    let rendering = shown(&frame);
    let html = rendering.html.unwrap();
    for words in ["2 rows × 2 columns", "str", "i64", "melanoma"] {
        assert!(html.contains(words), "{words} in {html}");
    }
    assert!(rendering.plain.contains("shape: (2, 2)"), "{}", rendering.plain);
    let lazy = frame.clone().lazy().filter(col("count").gt(lit(3)));
    assert!(shown(&lazy).html.unwrap().contains("1 rows × 2 columns"));
    let broken = frame.clone().lazy().select([col("no such column")]);
    assert!(shown(&broken).plain.contains("no such column"));
    assert_eq!(mimes(frame.column("count").unwrap().as_materialized_series()), ["text/html"]);
}

#[test]
fn arrays_and_tensors_show_a_glimpse() {
    let small = array![[1.0_f32, 2.5], [f32::NAN, f32::INFINITY]];
    let rendering = shown(&small);
    assert!(rendering.plain.starts_with("array (2, 2) of f32, 1 to 2.5000, mean 1.7500, 2 not finite\n"), "{}", rendering.plain);
    assert!(rendering.html.unwrap().contains("nowrap\">2.5000</td>"));
    assert!(shown(&Array4::<f64>::zeros((2, 3, 4, 5))).html.unwrap().contains("shown at [0, 0, ..]"));
    assert_eq!(shown(&Array3::<u8>::zeros((2, 0, 4))).plain, "array (2, 0, 4) of u8");
    assert_eq!(mimes(&ndarray::arr0(3_usize)), ["text/html"]);
    assert_eq!(mimes(&array![true, false]), ["text/html"]);
    assert_eq!(mimes(&ArrayD::<i64>::ones(vec![1; 7])), ["text/html"]);
    let tensor = Tensor::arange(0_f32, 6.0, &CandleDevice::Cpu).unwrap().reshape((2, 3)).unwrap();
    let rendering = shown(&tensor);
    assert!(rendering.plain.starts_with("candle tensor (2, 3) of F32 on Cpu\n"), "{}", rendering.plain);
    assert!(rendering.html.unwrap().contains("0 to 5, mean 2.5000"));
}

#[test]
fn metrics_are_tables_and_matrices() {
    let evaluation = evaluate(&load("drawn").unwrap().predict_all(&drawn::lesions(14)).unwrap()).unwrap();
    let html = shown(&evaluation).html.unwrap();
    assert!(html.contains("balanced accuracy") && html.contains("recall") && html.contains("data:image/svg+xml;base64,"));
    let matrix = shown(&evaluation.confusion);
    assert!(matrix.plain.starts_with("confusion matrix of 14 samples"), "{}", matrix.plain);
    assert!(matrix.svg.is_some() && matrix.plotly.is_some());
    assert_eq!(mimes(&evaluation.class_table()), ["text/html"]);
}

#[test]
fn what_holds_values_shows_them_and_nothing_shows_nothing() {
    let pictures = vec![RgbImage::new(2, 2), RgbImage::new(3, 3)];
    assert_eq!(shown(&pictures).html.unwrap().matches("<img").count(), 2);
    assert_eq!(shown(&vec![RgbImage::new(2, 2); 30]).plain.lines().last(), Some("… and 6 more"));
    assert_eq!(shown(&Vec::<RgbImage>::new()).plain, "an empty list");
    assert_eq!(mimes(&Some(RgbImage::new(2, 2))), ["image/png"]);
    assert_eq!(mimes(&Ok::<_, Error>(RgbImage::new(2, 2))), ["image/png"]);
    for nothing in [&() as &dyn std::any::Any, &Some(()), &Ok::<(), Error>(())] {
        assert!(pellucid::display::rendering_of(nothing).unwrap().is_silent());
    }
    for text in [&"text" as &dyn std::any::Any, &Some(3), &None::<RgbImage>, &Err::<(), Error>(anyhow!("why"))] {
        assert!(pellucid::display::rendering_of(text).is_none(), "these are told by their Debug text");
    }
}
