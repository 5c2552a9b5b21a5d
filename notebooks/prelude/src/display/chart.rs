//! Charts: plotly's JSON for pages that have plotly, a drawing of ours for all others, and for kinds that we do not draw plotly itself.
//!
//! JupyterLab shows neither an SVG nor a script of a notebook that it does not trust, as every one that came from somebody else. A picture
//! in HTML it does show, so the drawing stands there as well.

use std::sync::atomic::{AtomicBool, Ordering};

use plotly::Plot;
use reports::figures::{figure_json, plotly_js};
use serde_json::Value;

use super::rendering::drawing_element;
use super::{Rendering, figure};

/// Whether this process has already handed out plotly.js: once is enough for a notebook.
static LIBRARY_IS_THERE: AtomicBool = AtomicBool::new(false);

pub fn chart(plot: &Plot) -> Rendering {
    let json = figure_json(plot);
    // plotly's own JSON is JSON; an empty figure is drawn should that ever change.
    let parsed: Value = serde_json::from_str(&json).unwrap_or_default();
    let plain = figure::in_words(&parsed);
    let svg = figure::svg(&parsed);
    let html = match &svg {
        Some(svg) => drawing_element(svg, &plain),
        None => by_plotly(&json, LIBRARY_IS_THERE.swap(true, Ordering::Relaxed)),
    };
    Rendering { svg, plotly: Some(parsed), ..Rendering::text(plain).with_html(html) }
}

/// One of our own charts as a part of a page: all of its kinds are drawn.
pub(super) fn element(plot: &Plot) -> String {
    chart(plot).to_html()
}

/// The chart drawn by plotly.js, which stands in the page before it or comes with it; without either the page says so.
fn by_plotly(json: &str, library_is_there: bool) -> String {
    let library = if library_is_there { String::new() } else { format!("<script>{}</script>", plotly_js()) };
    format!(
        "{library}<div>run this notebook's cells again to see this chart: its library came with an output that is gone</div>\
         <script>(() => {{ const place = document.currentScript.previousElementSibling; const f = {json};\
         if (window.Plotly) {{ place.textContent = \"\"; Plotly.newPlot(place, f.data, f.layout, f.config); }} }})();</script>"
    )
}

#[cfg(test)]
mod tests {
    use plotly::Pie;

    use super::*;

    #[test]
    fn kinds_that_the_svg_does_not_know_bring_plotly_once() {
        let mut pie = Plot::new();
        pie.add_trace(Pie::new(vec![1, 2]).labels(vec!["</script><b>", "b"]));
        let (first, second) = (chart(&pie), chart(&pie));
        let (first, second) = (first.html.unwrap(), second.html.unwrap());
        assert!(first.len() > 1_000_000 || second.len() < 10_000);
        assert!(second.len() < 10_000 && !second.contains("</script><b>"), "{second}");
        assert!(chart(&pie).svg.is_none() && chart(&pie).plotly.is_some());
    }
}
