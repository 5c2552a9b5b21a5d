//! Every type that is shown yields its representations: pictures that decode, markup that is closed, JSON that parses, text everywhere.

mod charts;
mod hostile;
mod large;
mod markup;
mod samples;

use pellucid::display::{Rendering, rendering_of};
use std::any::Any;

/// The rendering of a value, checked for what must hold of every one.
fn shown(value: &dyn Any) -> Rendering {
    let rendering = rendering_of(value).expect("this type is shown");
    check(&rendering);
    rendering
}

fn check(rendering: &Rendering) {
    const MOST_BYTES: usize = 4 << 20;
    assert!(!rendering.plain.is_empty(), "no text: {rendering:?}");
    if let Some(png) = &rendering.png {
        let picture = image::load_from_memory_with_format(png, image::ImageFormat::Png).expect("a valid PNG");
        assert!(picture.width() > 0 && picture.width() <= 4096 && picture.height() <= 4096, "{}", picture.width());
    }
    // JupyterLab takes it out of HTML that it does not trust.
    assert!(!rendering.html.as_ref().is_some_and(|html| html.contains("<svg")), "a drawing inside of HTML that is no picture");
    for markup in [&rendering.html, &rendering.svg].into_iter().flatten() {
        markup::expect_closed(markup);
        assert!(!markup.contains("<script"), "a script of its own");
        for outside in ["http://", "https://", "//cdn"] {
            let asked = markup.replace("http://www.w3.org/2000/svg", "");
            assert!(!asked.contains(outside), "another host in {}", &markup[..markup.len().min(300)]);
        }
    }
    let bundle = rendering.clone().into_bundle();
    let json = serde_json::to_string(&bundle).expect("JSON");
    assert!(json.len() < MOST_BYTES, "{} bytes", json.len());
    let again: serde_json::Value = serde_json::from_str(&json).expect("JSON that parses");
    assert!(again["text/plain"].is_string());
}
