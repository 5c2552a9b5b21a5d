//! Whatever the size of a value, what is shown of it stays small.

use pellucid::prelude::*;

use super::shown;

#[test]
fn a_large_picture_is_reduced() {
    let large = RgbImage::from_fn(10_000, 5_000, |x, y| image::Rgb([x as u8, y as u8, (x / 40) as u8]));
    let rendering = shown(&large);
    assert!(rendering.plain.ends_with("5000×10000 pixels (height × width), RGB, shown at 600×1200"), "{}", rendering.plain);
    let png = image::load_from_memory(rendering.png.as_deref().unwrap()).unwrap();
    assert_eq!((png.width(), png.height()), (1200, 600));
    let line = RgbImage::new(60_000, 1);
    assert_eq!(image::load_from_memory(&shown(&line).png.unwrap()).unwrap().height(), 1);
}

#[test]
fn a_large_array_shows_its_corners() {
    let mut large = Array2::<f32>::zeros((10_000, 10_000));
    large[[9_999, 9_999]] = 7.25;
    let rendering = shown(&large);
    let html = rendering.html.unwrap();
    assert!(html.contains("7.2500") && html.contains("9999") && html.len() < 20_000, "{} bytes", html.len());
    assert!(rendering.plain.len() < 20_000, "{} bytes", rendering.plain.len());
}

#[test]
fn a_large_tensor_a_wide_frame_and_a_long_list_are_cut() {
    let large = Tensor::zeros((40, 1_000, 1_000), candle_core::DType::F32, &CandleDevice::Cpu).unwrap();
    assert!(shown(&large).plain.contains("its first part"));
    let wide = DataFrame::new(1, (0..500).map(|n| Column::new(format!("c{n}").into(), [n])).collect()).unwrap();
    assert!(shown(&wide).html.unwrap().contains("1 rows × 500 columns, 476 more columns"));
    let long = df!("n" => (0..100_000_i64).collect::<Vec<_>>(), "text" => vec!["ä".repeat(500); 100_000]).unwrap();
    let rendering = shown(&long);
    assert!(rendering.html.unwrap().contains("99988 more rows"));
    assert!(rendering.plain.len() < 20_000, "{} bytes", rendering.plain.len());
    let many = Batch::new(Array4::zeros((200, 3, 8, 12))).unwrap();
    assert!(shown(&many).plain.ends_with("the first 64 are shown"));
}
