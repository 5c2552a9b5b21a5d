//! Explanation methods: an enum with a settings struct each, and one function that runs them.
//!
//! | method | reads | class-specific | source |
//! |---|---|---|---|
//! | [`AttentionMap`] | one map's CLS row | no | raw attention |
//! | [`Rollout`] | fused maps of all layers | no | Abnar and Zuidema, ACL 2020 |
//! | [`Relevance`] | maps and their gradients | yes | Chefer, Gur and Wolf, ICCV 2021 |
//! | [`Gradient`] | gradient at the pixels | yes | Simonyan, Vedaldi and Zisserman, 2014 |
//! | [`InputXGradient`] | pixels times gradient | yes | Shrikumar et al., 2016 |

mod attention;
pub mod explicit;
mod gradient;
mod relevance;
mod rollout;
#[cfg(test)]
mod tests;

use std::fmt;

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::{Attribution, Error, Probe, Recipe, Support, Target, Trace};
pub use attention::{AttentionMap, HeadChoice, LayerChoice};
pub use gradient::{ChannelReduction, Gradient, InputXGradient};
pub use relevance::Relevance;
pub use rollout::{Discard, Protect, Residual, Rollout};

/// How to explain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// The CLS row of one attention map.
    Attention(AttentionMap),
    /// Attention rollout.
    Rollout(Rollout),
    /// Chefer's generic relevance.
    Relevance(Relevance),
    /// The gradient at the pixels.
    Gradient(Gradient),
    /// Pixels times gradient.
    InputXGradient(InputXGradient),
}

impl Method {
    /// Every method by the name that the command line takes, with its default or preset settings and a sentence about it.
    pub fn named() -> Vec<(&'static str, Self, &'static str)> {
        vec![
            ("attention", Self::Attention(AttentionMap::default()), "last layer's attention of the class token, mean over heads"),
            ("rollout", Self::Rollout(Rollout::abnar_2020()), "attention rollout (Abnar and Zuidema 2020)"),
            (
                "rollout-google",
                Self::Rollout(Rollout::google_vit()),
                "rollout as the ViT authors draw it: mean fusion, identity added, rows renormalised",
            ),
            (
                "rollout-max",
                Self::Rollout(Rollout::vit_explain_fixed()),
                "rollout with max fusion, lowest 90 % discarded, rows renormalised",
            ),
            (
                "rollout-vit-explain",
                Self::Rollout(Rollout::vit_explain_compat()),
                "the same with vit-explain's known defects, for comparison only",
            ),
            ("relevance", Self::Relevance(Relevance::chefer_iccv21()), "gradient-weighted attention (Chefer et al., ICCV 2021)"),
            ("gradient", Self::Gradient(Gradient::default()), "largest absolute gradient over the channels of a pixel (Simonyan 2014)"),
            ("input-x-gradient", Self::InputXGradient(InputXGradient::default()), "pixel times gradient, summed over channels, signed"),
        ]
    }

    /// The method of a name, or an error that lists those there are.
    ///
    /// ```
    /// use xai::{Method, Relevance};
    /// assert_eq!(Method::by_name("relevance")?, Method::Relevance(Relevance::chefer_iccv21()));
    /// assert!(Method::by_name("grad-cam").unwrap_err().to_string().contains("rollout"));
    /// # Ok::<(), xai::Error>(())
    /// ```
    pub fn by_name(name: &str) -> Result<Self, Error> {
        let known = Self::named();
        let found = known.iter().find(|(known, ..)| known.eq_ignore_ascii_case(name.trim()));
        found.map(|(_, method, _)| method.clone()).ok_or_else(|| Error::Unknown {
            what: "method".into(),
            given: name.into(),
            known: known.iter().map(|(name, ..)| (*name).to_owned()).collect(),
        })
    }

    /// The least probe that a trace needs for this method.
    pub fn probe(&self) -> Probe {
        match self {
            Self::Attention(_) => Probe::Attention,
            Self::Rollout(rollout) => Probe::Fused(rollout.head_fusion),
            Self::Relevance(_) | Self::Gradient(_) | Self::InputXGradient(_) => Probe::Gradients,
        }
    }

    /// True where the map depends on the target; attention and rollout look the same for every class.
    pub fn is_class_specific(&self) -> bool {
        self.probe() == Probe::Gradients
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::Attention(_) => "attention",
            Self::Rollout(_) => "rollout",
            Self::Relevance(_) => "relevance",
            Self::Gradient(_) => "gradient",
            Self::InputXGradient(_) => "input x gradient",
        })
    }
}

/// Explains every image of a trace: one attribution an image, in the order of the batch.
///
/// # Errors
/// [`Error::NotKept`] where the trace kept too little, [`Error::NoHead`] where a class-specific method meets a model
/// without a head, [`Error::Unknown`] for a layer, head or class that does not exist.
pub fn explain(trace: &Trace, target: Target, method: &Method) -> Result<Vec<Attribution>, Error> {
    let (support, maps) = match method {
        Method::Attention(settings) => (Support::Grid, attention::maps(trace, settings)?),
        Method::Rollout(settings) => (Support::Grid, rollout::maps(trace, settings)?),
        Method::Relevance(settings) => (Support::Grid, relevance::maps(trace, target, settings)?),
        Method::Gradient(settings) => (Support::Pixels, gradient::maps(trace, target, settings)?),
        Method::InputXGradient(settings) => (Support::Pixels, gradient::input_times(trace, target, settings)?),
    };
    let targets = if method.is_class_specific() { trace.resolve(target)?.into_iter().map(Some).collect() } else { vec![None; maps.len()] };
    let recipes = targets.into_iter().map(|target| recipe(trace, target, method));
    let made = maps.into_iter().zip(recipes);
    Ok(made.map(|(values, recipe)| Attribution { values, support, recipe, completeness_gap: None }).collect())
}

fn recipe(trace: &Trace, target: Option<Target>, method: &Method) -> Recipe {
    Recipe {
        method: method.clone(),
        target,
        model_sha256: trace.vit().source().sha256.clone(),
        patches: trace.patches(),
        device: trace.vit().device().to_string(),
        kernel_set: format!("pellucid {} f32", env!("CARGO_PKG_VERSION")),
        batch: trace.batch().len(),
    }
}

/// The patches of rows over tokens (B, N), as grids: the tokens before the patches are left out.
fn grids(trace: &Trace, rows: &[f32]) -> Vec<Array2<f32>> {
    let patches = trace.patches();
    let first = trace.vit().config().special_tokens.count();
    let grid = |row: &[f32]| Array2::from_shape_fn((patches.rows, patches.cols), |(r, c)| row[first + patches.index(r, c)]);
    rows.chunks(trace.token_count()).map(grid).collect()
}
