//! How maps are asked for and shown.

use anyhow::ensure;
use clap::Args;
use xai::{Colormap, Discard, HeadChoice, HeadFusion, LayerChoice, Method, OverlayStyle, Protect, Rescale};

/// Which methods, and their conventions where they differ from the preset.
#[derive(Debug, Args)]
pub struct MethodArguments {
    /// Methods, separated by commas; `all` for every one. A name that does not exist is answered with those that do
    #[arg(long, value_name = "LIST", default_value = "rollout,relevance", value_delimiter = ',')]
    pub method: Vec<String>,

    /// Layer of `attention`, from 0 [default: the last]
    #[arg(long, value_name = "N")]
    pub layer: Option<usize>,

    /// Head of `attention`, from 0 [default: the mean of all]
    #[arg(long, value_name = "N")]
    pub head: Option<usize>,

    /// How heads become one map in rollout: mean, max or min [default: the preset's]
    #[arg(long, value_name = "FUSION")]
    pub head_fusion: Option<Fusion>,

    /// Share of the lowest attention that rollout discards, 0 to 1 [default: the preset's]
    #[arg(long, value_name = "RATIO")]
    pub discard: Option<f32>,

    /// First layer that enters rollout and relevance, from 0
    #[arg(long, value_name = "N")]
    pub start_layer: Option<usize>,
}

/// Head fusion by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Fusion {
    /// Mean over heads.
    Mean,
    /// Largest over heads.
    Max,
    /// Smallest over heads.
    Min,
}

impl MethodArguments {
    /// The methods in the order they were named, each with its name.
    pub fn methods(&self) -> anyhow::Result<Vec<(String, Method)>> {
        let named = Method::named();
        if self.method.iter().any(|name| name == "all") {
            return Ok(named.into_iter().map(|(name, method, _)| (name.to_owned(), self.adjusted(method))).collect());
        }
        let mut methods: Vec<(String, Method)> = Vec::new();
        for name in &self.method {
            let (name, method) = (name.trim().to_lowercase(), Method::by_name(name)?);
            if methods.iter().all(|(known, _)| *known != name) {
                methods.push((name, self.adjusted(method)));
            }
        }
        Ok(methods)
    }

    fn adjusted(&self, method: Method) -> Method {
        match method {
            Method::Attention(mut map) => {
                map.layer = self.layer.map_or(map.layer, LayerChoice::Index);
                map.head = self.head.map_or(map.head, HeadChoice::Index);
                Method::Attention(map)
            }
            Method::Rollout(mut rollout) => {
                rollout.head_fusion = self.head_fusion.map_or(rollout.head_fusion, |fusion| match fusion {
                    Fusion::Mean => HeadFusion::Mean,
                    Fusion::Max => HeadFusion::Max,
                    Fusion::Min => HeadFusion::Min,
                });
                rollout.discard = self.discard.map_or(rollout.discard, |ratio| Discard::Lowest { ratio, protect: Protect::ClsColumn });
                rollout.start_layer = self.start_layer.unwrap_or(rollout.start_layer);
                Method::Rollout(rollout)
            }
            Method::Relevance(mut relevance) => {
                relevance.start_layer = self.start_layer.unwrap_or(relevance.start_layer);
                Method::Relevance(relevance)
            }
            other => other,
        }
    }
}

/// How overlays look.
#[derive(Debug, Args)]
pub struct StyleArguments {
    /// Share of the relevance that the outline encloses, 0 to 1; 0 draws none
    #[arg(long, value_name = "SHARE", default_value_t = 0.5)]
    pub contour: f32,

    /// Opacity of the colours, 0 to 1; 0 paints none
    #[arg(long, value_name = "OPACITY", default_value_t = 0.6)]
    pub fill: f32,

    /// Colours of an unsigned map: inferno or viridis; signed maps are always red and blue
    #[arg(long, value_name = "NAME", default_value = "inferno")]
    pub colormap: Colormap,

    /// Ends of the colours at this percentile and its opposite instead of the lowest and highest value, e.g. 2
    #[arg(long, value_name = "PERCENT")]
    pub percentile: Option<f32>,
}

impl StyleArguments {
    /// The style with a caption.
    pub fn style(&self, caption: String) -> anyhow::Result<OverlayStyle> {
        for (name, value) in [("--contour", self.contour), ("--fill", self.fill)] {
            ensure!((0.0..=1.0).contains(&value), "{name} {value} lies outside 0 to 1");
        }
        let percentile = self.percentile.unwrap_or(0.0);
        ensure!((0.0..50.0).contains(&percentile), "--percentile {percentile} lies outside 0 to below 50");
        Ok(OverlayStyle {
            fill: Some(self.fill).filter(|fill| *fill > 0.0),
            contour: Some(self.contour).filter(|share| *share > 0.0),
            colormap: self.colormap,
            rescale: self.percentile.map_or(Rescale::MinMax, |percent| Rescale::Percentile(1.0 - percent / 100.0)),
            colour_bar: true,
            caption: Some(caption),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn style_of(percentile: Option<f32>) -> anyhow::Result<OverlayStyle> {
        StyleArguments { contour: 0.5, fill: 0.6, colormap: Colormap::Inferno, percentile }.style(String::new())
    }

    #[test]
    fn a_percentile_names_the_share_that_is_clipped_at_each_end() {
        assert_eq!(style_of(Some(2.0)).unwrap().rescale, Rescale::Percentile(0.98));
        assert_eq!(style_of(None).unwrap().rescale, Rescale::MinMax);
        for wrong in [50.0, -1.0, f32::NAN] {
            assert!(style_of(Some(wrong)).unwrap_err().to_string().contains("--percentile"), "{wrong}");
        }
    }
}
