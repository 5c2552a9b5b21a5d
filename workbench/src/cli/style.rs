//! How overlays look.

use anyhow::ensure;
use clap::Args;
use xai::{Colormap, OverlayStyle, Rescale};

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
