//! What may be asked about a lesion, as the query of an address: the same for pages, JSON and pictures.

use std::ops::RangeInclusive;

use xai::{AttentionMap, Colormap, HeadChoice, HeadFusion, LayerChoice, Method, OverlayStyle, Target, Vit};

use super::cost::offered;
use super::problem::Problem;

/// Shares of the relevance that an outline may enclose, in percent.
pub const THRESHOLDS: RangeInclusive<u8> = 5..=95;

/// A question with the style of its answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Controls {
    /// The method by its name.
    pub method: &'static str,
    /// The class asked about; the predicted one where none is named.
    pub class: Option<usize>,
    /// The class it is held against.
    pub against: Option<usize>,
    /// The layer, for attention; the last where none is named.
    pub layer: Option<usize>,
    /// The head, for attention; the mean of all where none is named.
    pub head: Option<usize>,
    /// Opacity of the colours in percent.
    pub opacity: u8,
    /// Share of the relevance that the outline encloses, in percent.
    pub threshold: u8,
    /// Colours of an unsigned map.
    pub colormap: Colormap,
    /// Whether colours are laid over the skin.
    pub fill: Fill,
}

/// Whether the map is painted or outlined only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fill {
    /// Outline only: the skin keeps its colours.
    Off,
    /// Outline and colours.
    On,
}

impl Controls {
    /// What is shown when nothing is asked: relevance of the predicted class, outlined.
    pub fn default_for(vit: &Vit) -> Self {
        let method = if vit.labels().is_empty() { "rollout" } else { "relevance" };
        Self {
            method,
            class: None,
            against: None,
            layer: None,
            head: None,
            opacity: 60,
            threshold: 50,
            colormap: Colormap::Inferno,
            fill: Fill::Off,
        }
    }

    /// Reads a query; an empty value is as good as none, unknown names are passed over.
    ///
    /// # Errors
    /// [`Problem::Control`] with the control's name and what can be given.
    pub fn parse(query: &[(String, String)], vit: &Vit) -> Result<Self, Problem> {
        let mut controls = Self::default_for(vit);
        for (name, value) in query.iter().filter(|(_, value)| !value.is_empty()) {
            match name.as_str() {
                "method" => controls.method = offered(value, vit)?,
                "target" => (controls.class, controls.against) = target(value, controls.against, vit)?,
                "against" => controls.against = Some(vit.labels().index(value).map_err(|e| bad("against", &e))?),
                "layer" => controls.layer = index("layer", value, vit.config().num_hidden_layers, "last")?,
                "head" => controls.head = index("head", value, vit.config().num_attention_heads, "mean")?,
                "opacity" => controls.opacity = percent("opacity", value, 0..=100)?,
                "threshold" => controls.threshold = percent("threshold", value, THRESHOLDS)?,
                "colormap" => controls.colormap = value.parse().map_err(|e| bad("colormap", &e))?,
                "fill" => controls.fill = if value == "off" { Fill::Off } else { Fill::On },
                _ => {}
            }
        }
        controls.expect_two_classes().map(|()| controls)
    }

    /// The score to explain; the predicted class stands in where a class is needed.
    ///
    /// # Errors
    /// [`Problem::Control`] for a class held against itself.
    pub fn target(&self, logits: &[f32]) -> Result<Target, Problem> {
        let Some(against) = self.against else { return Ok(self.class.map_or(Target::Predicted, Target::Class)) };
        let class = match (self.class, Target::Predicted.resolve(logits)?) {
            (Some(class), _) | (None, Target::Class(class)) => class,
            (None, other) => return Ok(other),
        };
        Self { class: Some(class), ..self.clone() }.expect_two_classes()?;
        Ok(Target::Contrast { class, against })
    }

    fn expect_two_classes(&self) -> Result<(), Problem> {
        if self.against.is_some() && self.against == self.class {
            let problem = "a class cannot be held against itself; choose another".into();
            return Err(Problem::Control { control: "against", problem });
        }
        Ok(())
    }

    /// The method with the layer and head asked for.
    ///
    /// # Errors
    /// None in practice: the name was read before.
    pub fn method(&self) -> Result<Method, Problem> {
        let method = Method::by_name(self.method)?;
        Ok(if self.is_attention() {
            Method::Attention(AttentionMap {
                layer: self.layer.map_or(LayerChoice::Last, LayerChoice::Index),
                head: self.head.map_or(HeadChoice::Fused(HeadFusion::Mean), HeadChoice::Index),
            })
        } else {
            method
        })
    }

    /// Whether layer and head mean anything.
    pub fn is_attention(&self) -> bool {
        self.method == "attention"
    }

    /// Whether colours are laid over the skin.
    pub fn is_filled(&self) -> bool {
        self.fill == Fill::On
    }

    /// How the map is drawn; the legend stands in the page.
    pub fn style(&self) -> OverlayStyle {
        OverlayStyle {
            fill: self.is_filled().then(|| f32::from(self.opacity) / 100.0),
            contour: Some(f32::from(self.threshold) / 100.0),
            colormap: self.colormap,
            ..OverlayStyle::bare()
        }
    }

    /// The query that asks the same again; it holds no character that an address or a page must escape, but `&`.
    pub fn query(&self) -> String {
        let number = |name: &str, value: Option<usize>| value.map_or(String::new(), |value| format!("&{name}={value}"));
        let fill = if self.is_filled() { "&fill=on" } else { "" };
        format!(
            "method={}{}{}{}{}&opacity={}&threshold={}&colormap={}{fill}",
            self.method,
            number("target", self.class),
            number("against", self.against),
            number("layer", self.layer),
            number("head", self.head),
            self.opacity,
            self.threshold,
            self.colormap
        )
    }
}

fn bad(control: &'static str, problem: &dyn std::fmt::Display) -> Problem {
    Problem::Control { control, problem: problem.to_string() }
}

/// `predicted`, a class, or `class:against`.
fn target(value: &str, against: Option<usize>, vit: &Vit) -> Result<(Option<usize>, Option<usize>), Problem> {
    match Target::parse(value, vit.labels()).map_err(|e| bad("target", &e))? {
        Target::Predicted => Ok((None, against)),
        Target::Class(class) => Ok((Some(class), against)),
        Target::Contrast { class, against } => Ok((Some(class), Some(against))),
    }
}

fn index(control: &'static str, value: &str, count: usize, all: &str) -> Result<Option<usize>, Problem> {
    if value == all {
        return Ok(None);
    }
    let index = value.parse().ok().filter(|index| *index < count);
    index.map(Some).ok_or_else(|| bad(control, &format!("give `{all}` or a number from 0 to {}", count.saturating_sub(1))))
}

fn percent(control: &'static str, value: &str, range: RangeInclusive<u8>) -> Result<u8, Problem> {
    let number = value.parse().ok().filter(|number| range.contains(number));
    number.ok_or_else(|| bad(control, &format!("give a whole number from {} to {}", range.start(), range.end())))
}

#[cfg(test)]
mod tests {
    use xai::{HeadKind, VitConfig};

    use super::*;

    fn vit() -> Vit {
        Vit::random(VitConfig::tiny_for_tests(), HeadKind::Linear(3), 1).unwrap()
    }

    fn parse(query: &[(&str, &str)]) -> Result<Controls, Problem> {
        let query: Vec<_> = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Controls::parse(&query, &vit())
    }

    #[test]
    fn a_query_reads_back() {
        let asked = [("method", "attention"), ("target", "class 2"), ("against", "0"), ("layer", "1"), ("opacity", "30"), ("fill", "on")];
        let controls = parse(&asked).unwrap();
        assert_eq!((controls.class, controls.against, controls.layer, controls.opacity), (Some(2), Some(0), Some(1), 30));
        let query = controls.query();
        let pairs: Vec<_> = query.split('&').map(|pair| pair.split_once('=').unwrap()).collect();
        assert_eq!(parse(&pairs).unwrap(), controls);
        assert_eq!(parse(&[("target", "2:0")]).unwrap().against, Some(0));
        assert_eq!(parse(&[("target", ""), ("utm", "x")]).unwrap(), Controls::default_for(&vit()));
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        let wrong = [("method", "grad-cam"), ("target", "wart"), ("against", "9"), ("layer", "99"), ("head", "-1"), ("opacity", "101")];
        for (name, value) in wrong.into_iter().chain([("threshold", "0"), ("threshold", "1e9"), ("colormap", "jet"), ("opacity", "１２")])
        {
            match parse(&[(name, value)]) {
                Err(Problem::Control { control, .. }) => assert_eq!(control, name),
                other => panic!("{name}={value}: {other:?}"),
            }
        }
        assert!(parse(&[("target", "1"), ("against", "1")]).is_err());
    }

    #[test]
    fn the_predicted_class_is_held_against_another_one() {
        let controls = parse(&[("against", "0")]).unwrap();
        assert_eq!(controls.target(&[0.0, 2.0, 1.0]).unwrap(), Target::Contrast { class: 1, against: 0 });
        assert!(controls.target(&[3.0, 2.0, 1.0]).is_err());
    }
}
