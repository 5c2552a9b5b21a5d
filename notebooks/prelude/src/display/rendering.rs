//! What a value is shown as, by kind of representation.

use std::fmt::{self, Debug, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::html::escaped;

/// Text of a value is cut here.
const MOST_TEXT: usize = 20_000;
/// So many values of a list are shown.
const MOST_VALUES: usize = 24;

/// Representations of one value; whoever shows it takes the best that it can.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rendering {
    /// Always there, except for what shows nothing.
    pub plain: String,
    /// HTML that stands alone.
    pub html: Option<String>,
    /// A picture's bytes.
    pub png: Option<Vec<u8>>,
    /// A drawing.
    pub svg: Option<String>,
    /// A chart for plotly: data, layout, configuration.
    pub plotly: Option<Value>,
}

impl Rendering {
    /// Text alone.
    pub fn text(plain: impl Into<String>) -> Self {
        Self { plain: plain.into(), ..Self::default() }
    }

    /// With HTML as well.
    pub fn with_html(self, html: impl Into<String>) -> Self {
        Self { html: Some(html.into()), ..self }
    }

    /// Whether there is nothing to show.
    pub fn is_silent(&self) -> bool {
        *self == Self::default()
    }

    /// By mime type, as Jupyter's messages have it.
    ///
    /// ```
    /// use pellucid::display::Rendering;
    /// let bundle = Rendering::text("two").with_html("<b>2</b>").into_bundle();
    /// assert_eq!((bundle["text/plain"].as_str(), bundle["text/html"].as_str()), (Some("two"), Some("<b>2</b>")));
    /// ```
    pub fn into_bundle(self) -> Map<String, Value> {
        let mut bundle = Map::new();
        bundle.insert("text/plain".into(), self.plain.into());
        let png = self.png.map(|bytes| STANDARD.encode(bytes).into());
        let rest = [
            ("text/html", self.html.map(Value::from)),
            ("image/png", png),
            ("image/svg+xml", self.svg.map(Value::from)),
            ("application/vnd.plotly.v1+json", self.plotly),
        ];
        bundle.extend(rest.into_iter().filter_map(|(mime, content)| Some((mime.to_owned(), content?))));
        bundle
    }

    /// As a part of a page.
    pub fn to_html(&self) -> String {
        if let Some(html) = &self.html {
            return html.clone();
        }
        if let Some(svg) = &self.svg {
            return drawing_element(svg, &self.plain);
        }
        match &self.png {
            Some(png) => image_element(png, &self.plain),
            None => format!("<pre>{}</pre>", escaped(&self.plain)),
        }
    }

    /// Several values beside each other.
    pub(super) fn several<T>(values: &[T], render: fn(&T) -> Self) -> Self {
        let shown: Vec<Self> = values.iter().take(MOST_VALUES).map(render).collect();
        let more = values.len() - shown.len();
        let rest = if more > 0 { format!("… and {more} more") } else { String::new() };
        let plain = shown.iter().map(|one| one.plain.as_str()).chain([rest.as_str()]).filter(|text| !text.is_empty());
        let plain = plain.collect::<Vec<_>>().join("\n");
        let plain = if values.is_empty() { "an empty list".into() } else { plain };
        let parts: String = shown.iter().map(|one| format!("<div>{}</div>", one.to_html())).collect();
        let html = format!("<div style=\"display: flex; flex-wrap: wrap; gap: 1em\">{parts}</div>{rest}");
        if values.is_empty() { Self::text(plain) } else { Self::text(plain).with_html(html) }
    }
}

/// An image in a page, with what it is for those who cannot see it.
pub(super) fn image_element(png: &[u8], what: &str) -> String {
    let what = escaped(what.lines().next().unwrap_or_default());
    format!("<img alt=\"{what}\" style=\"max-width: 100%\" src=\"data:image/png;base64,{}\">", STANDARD.encode(png))
}

/// A drawing in a page, as a picture of its own: JupyterLab takes `<svg>` out of HTML that it does not trust.
pub(super) fn drawing_element(svg: &str, what: &str) -> String {
    let what = escaped(what.lines().next().unwrap_or_default());
    format!("<img alt=\"{what}\" style=\"max-width: 100%\" src=\"data:image/svg+xml;base64,{}\">", STANDARD.encode(svg))
}

/// `Debug` text, line by line where it is nested, cut where it is too long: nothing beyond is made at all.
pub(super) fn bounded_debug(value: &dyn Debug) -> String {
    let mut text = Bounded(String::new());
    // An error here is our own: the room is used up.
    match write!(text, "{value:#?}") {
        Ok(()) => text.0,
        Err(_) => text.0 + " …",
    }
}

struct Bounded(String);

impl Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = MOST_TEXT - self.0.len();
        if text.len() <= room {
            self.0.push_str(text);
            return Ok(());
        }
        let end = (0..=room).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
        self.0.push_str(&text[..end]);
        Err(fmt::Error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_text_is_cut_on_a_character() {
        assert_eq!(bounded_debug(&"näevus"), "\"näevus\"");
        let text = bounded_debug(&"ä".repeat(100_000));
        assert!(text.len() <= MOST_TEXT + " …".len() && text.ends_with("ä …"));
    }
}
