//! Texts, numbers and colours of a chart.

use serde_json::Value;

use crate::display::escaped;

/// Colours of traces that name none: those of our own figures.
const SERIES: [&str; 7] = ["#3f7fc4", "#c9661c", "#31926c", "#b86fb9", "#8a8f1f", "#7b5bd0", "#5f7c85"];

/// Text on light and on dark pages.
pub const INK: &str = "#787878";

/// Plotly reads a little HTML in its texts: here it is taken away, line ends stay.
pub fn plain(text: &str) -> String {
    let text = text.replace("<br>", "\n").replace("<br/>", "\n").replace("<br />", "\n");
    let mut kept = String::new();
    let mut rest = text.as_str();
    while let Some(start) = rest.find('<') {
        kept.push_str(&rest[..start]);
        let tag = rest[start..].find('>').filter(|&end| is_tag(&rest[start + 1..start + end]));
        match tag {
            Some(end) => rest = &rest[start + end + 1..],
            None => {
                kept.push('<');
                rest = &rest[start + 1..];
            }
        }
    }
    kept.push_str(rest);
    kept.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'").replace("&amp;", "&")
}

fn is_tag(inside: &str) -> bool {
    const KNOWN: [&str; 8] = ["b", "i", "em", "strong", "sub", "sup", "span", "a"];
    KNOWN.contains(&inside.trim_start_matches('/').split(' ').next().unwrap_or_default())
}

/// A title, given as text or as an object with it.
pub fn title(title: &Value) -> String {
    plain(title["text"].as_str().or(title.as_str()).unwrap_or_default())
}

/// A text element; several lines stand below each other.
pub fn text(text: &str, (x, y): (f64, f64), size: f64, anchor: &str, colour: &str, turn: f64) -> String {
    let turned = if turn == 0.0 { String::new() } else { format!(" transform=\"rotate({turn} {x:.1} {y:.1})\"") };
    let lines: Vec<&str> = text.lines().take(8).collect();
    let lines: String = lines
        .iter()
        .enumerate()
        .map(|(line, text)| format!("<tspan x=\"{x:.1}\" dy=\"{:.1}\">{}</tspan>", if line == 0 { 0.0 } else { 1.2 * size }, escaped(text)))
        .collect();
    format!("<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{size}\" text-anchor=\"{anchor}\" fill=\"{colour}\"{turned}>{lines}</text>")
}

/// About how wide a text is.
pub fn width(text: &str, size: f64) -> f64 {
    text.lines().map(|line| line.chars().count()).max().unwrap_or(0) as f64 * 0.56 * size
}

/// A colour as it was given, where it is one; anything else could leave its attribute.
pub fn colour(value: &Value, index: usize) -> String {
    let given = value
        .as_str()
        .filter(|text| text.len() <= 40 && !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "#(),.% ".contains(c)));
    given.unwrap_or(SERIES[index % SERIES.len()]).to_owned()
}

/// A number on an axis, as the few formats of d3 that are in use ask for.
pub fn number(value: f64, format: &str, step: f64) -> String {
    if let Some(places) = format.strip_prefix('.').and_then(|rest| rest.strip_suffix('%')).and_then(|places| places.parse().ok()) {
        return format!("{:.1$}%", 100.0 * value, usize::min(places, 6));
    }
    if format.ends_with('d') {
        return grouped(value, format.starts_with(','));
    }
    if value != 0.0 && (value.abs() >= 1e6 || value.abs() < 1e-4) {
        return format!("{value:.1e}");
    }
    let places = if step > 0.0 { (-step.log10().floor()).clamp(0.0, 6.0) as usize } else { 2 };
    format!("{value:.places$}")
}

fn grouped(value: f64, apart: bool) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = String::from(if value <= -0.5 { "-" } else { "" });
    for (place, digit) in digits.chars().enumerate() {
        if apart && place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn texts_lose_plotly_s_html_and_nothing_else() {
        assert_eq!(plain("a<br><b>b</b> &lt;c&gt; 1 < 2 <script>"), "a\nb <c> 1 < 2 <script>");
    }

    #[test]
    fn what_is_no_colour_is_not_taken_for_one() {
        assert_eq!(colour(&json!("rgba(1, 2, 3, 0.5)"), 0), "rgba(1, 2, 3, 0.5)");
        for wrong in [json!("red\" onload=\"x"), json!(3), json!(""), json!("url(x);")] {
            assert_eq!(colour(&wrong, 8), SERIES[1]);
        }
    }

    #[test]
    fn numbers_follow_the_format() {
        let written =
            [number(0.25, ".0%", 0.25), number(12345.0, ",d", 1.0), number(-3.0, "d", 1.0), number(0.3, "", 0.1), number(2e7, "", 1e7)];
        assert_eq!(written, ["25%", "12,345", "-3", "0.3", "2.0e7"]);
    }
}
