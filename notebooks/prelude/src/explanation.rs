//! One method's answer about one lesion, with everything that is needed to show it and to find it again.

use std::fmt;

use image::RgbImage;
use workbench::pipeline::{Map, Reading, Timings};
use xai::{Attribution, HeatMap, OverlayStyle, Recipe, Target, Window};

use crate::{Lesion, Model, Prediction};

/// What a model relied on, by one method.
#[derive(Clone)]
pub struct Explanation {
    /// The picture that was explained.
    pub lesion: Lesion,
    /// What the model said; no classes without a head.
    pub prediction: Prediction,
    /// The target in words.
    pub target: String,
    /// The part of the picture that the model saw.
    pub window: Window,
    /// How it is drawn; change it and show it again.
    pub style: OverlayStyle,
    /// How long it took.
    pub timings: Timings,
    map: Map,
}

impl Explanation {
    /// One for each map of a reading.
    pub(crate) fn of(model: &Model, lesion: &Lesion, target: Target, reading: Reading) -> Vec<Self> {
        let Reading { trace, probabilities, window, maps, timings, .. } = reading;
        let resolved = trace.resolve(target).ok().and_then(|targets| targets.first().copied());
        let prediction = Prediction::of(model, lesion, &probabilities);
        let one = |map: Map| {
            let specific = map.attribution.recipe.method.is_class_specific();
            let words = resolved.filter(|_| specific).map_or("no class: the same for all".into(), |target| target.describe(model.labels()));
            Self {
                lesion: lesion.clone(),
                prediction: prediction.clone(),
                target: words,
                window,
                style: OverlayStyle::filled(),
                timings,
                map,
            }
        };
        maps.into_iter().map(one).collect()
    }

    /// Relevance with its recipe, in the method's own resolution and scale.
    pub fn attribution(&self) -> &Attribution {
        &self.map.attribution
    }

    /// The same on the patch grid.
    pub fn heat_map(&self) -> &HeatMap {
        &self.map.heat_map
    }

    /// How it was made.
    pub fn recipe(&self) -> &Recipe {
        &self.map.attribution.recipe
    }

    /// The map over the picture, with its legend.
    pub fn overlay(&self) -> RgbImage {
        xai::overlay(&self.lesion.picture, self.heat_map(), &self.window, &self.style)
    }

    /// The same drawn in another style.
    pub fn styled(self, style: OverlayStyle) -> Self {
        Self { style, ..self }
    }

    /// What the map's values are.
    pub fn unit(&self) -> &'static str {
        match self.recipe().method {
            xai::Method::Attention(_) | xai::Method::Rollout(_) => "share of attention",
            _ => "relevance, in units of the score's change",
        }
    }
}

impl fmt::Debug for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let (low, high) = self.heat_map().range();
        let (rows, cols) = self.heat_map().values().dim();
        let flat = if self.heat_map().is_flat() { ", no localised evidence" } else { "" };
        write!(
            f,
            "{} of {} ({}): {rows}×{cols} patches, {low:.3e} to {high:.3e}{flat}",
            self.recipe().method,
            self.lesion.name,
            self.target
        )
    }
}
