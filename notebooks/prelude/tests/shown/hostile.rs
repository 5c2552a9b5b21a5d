//! Names, values and sizes that want more than to be shown.

use pellucid::prelude::*;

use super::shown;

const HOSTILE: &str = "</td><script>alert(1)</script>\"'&\u{202e}\u{1b}[31m\n";

fn expect_escaped(markup: &str) {
    assert!(!markup.contains("<script") && !markup.contains('\u{202e}') && !markup.contains('\u{1b}'), "{markup}");
    assert!(markup.contains("&lt;script&gt;"), "the name itself is still told: {}", &markup[..markup.len().min(2000)]);
}

#[test]
fn names_of_columns_classes_and_lesions_are_told_and_do_nothing() {
    let frame = df!(HOSTILE => [HOSTILE, "b"], "x" => [Some(f64::NAN), None]).unwrap();
    expect_escaped(&shown(&frame).html.unwrap());
    assert!(shown(&frame).html.unwrap().contains("null"));
    let mut lesion = drawn::lesion(1, LesionClass::Nevus);
    (lesion.name, lesion.notes) = (HOSTILE.into(), vec![HOSTILE.into()]);
    let model = load("drawn").unwrap();
    let names = (0..7).map(|index| format!("{HOSTILE}{index}")).collect();
    let model = Model::from((*model).clone().with_labels(Labels::new(names)).unwrap());
    let explanation = model.explain(&lesion, Method::rollout()).unwrap();
    expect_escaped(&shown(&explanation).html.unwrap());
    expect_escaped(&pellucid::display::figure::svg(&serde_json::from_str(&explanation.prediction.bars().to_json()).unwrap()).unwrap());
    expect_escaped(&shown(&explanation.prediction).html.unwrap());
    let matrix = ConfusionMatrix::from_counts(&[HOSTILE, "b"], &[[1, 2], [0, 0]]).unwrap();
    expect_escaped(&shown(&matrix).svg.unwrap());
}

#[test]
fn empty_and_tiny_things_are_shown() {
    let empty = DataFrame::empty();
    assert!(shown(&empty).html.unwrap().contains("0 rows × 0 columns"));
    let no_rows = df!("a" => Vec::<i64>::new(), "b" => Vec::<String>::new()).unwrap();
    assert!(shown(&no_rows).html.unwrap().contains("0 rows × 2 columns"));
    assert!(shown(&RgbImage::new(1, 1)).png.is_some());
    assert!(shown(&RgbImage::new(0, 7)).png.is_none());
    assert!(shown(&HeatMap::new(array![[0.0]]).unwrap()).png.is_some());
    assert!(shown(&HeatMap::new(array![[-1e30, 1e30]]).unwrap()).png.is_some());
    let one = Batch::new(Array4::zeros((1, 1, 1, 1))).unwrap();
    assert!(shown(&one).png.is_some());
    shown(&Array2::<f32>::from_elem((0, 0), 0.0));
    shown(&Array1::from(vec![f64::NAN; 3]));
    let nothing = Tensor::zeros((0, 3), candle_core::DType::F32, &CandleDevice::Cpu).unwrap();
    assert!(shown(&nothing).plain.contains("(0, 3)"));
    let bytes = Tensor::zeros((), candle_core::DType::U8, &CandleDevice::Cpu).unwrap();
    assert!(shown(&bytes).plain.contains("of U8"));
}

#[test]
fn an_attribution_that_is_not_finite_says_so() {
    let model = load("drawn").unwrap();
    let explanation = model.explain(drawn::lesion(1, LesionClass::Nevus), Method::gradient()).unwrap();
    let mut attribution = explanation.attribution().clone();
    attribution.values[[0, 0]] = f32::NAN;
    assert!(shown(&attribution).plain.contains("not finite"));
}
