//! Integrated gradients (Sundararajan, Taly and Yan, ICML 2017, arXiv 1703.01365):
//! `(x − x₀) ∘ ∫₀¹ ∂score(x₀ + α·(x − x₀))/∂x dα`, with a baseline `x₀` that stands for "nothing there".
//!
//! Completeness: summed over all pixels and channels it is `score(x) − score(x₀)`. What a quadrature misses of it, the gap,
//! is measured and reported with every map; see [`CompletenessGap`].

mod adaptive;
mod baseline;
mod legendre;
mod walk;

use ndarray::{Array2, Array3, ArrayView3};
use serde::{Deserialize, Serialize};

use super::gradient::ChannelReduction;
use super::passes::{Passes, Progress};
use crate::{CompletenessGap, Error, Outcome, Target, Trace, Vit};
pub use baseline::{Baseline, GivenBaseline};

/// How the integral along the path is taken.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quadrature {
    /// The Gauss-Legendre rule with a fixed number of steps, whatever gap it leaves: for comparison with other libraries.
    GaussLegendre {
        /// Points of the path, 1 to 4096.
        steps: usize,
    },
    /// Simpson's rule on segments that are halved where completeness is missed, until the gap is small enough.
    ///
    /// A score bends sharply at few places of the path. Between any two points the change of the score is known exactly,
    /// so the error of every segment is known as well; only segments with most of it are halved, and no pass is thrown away.
    Adaptive {
        /// The gap that is aimed at, as a share of the score's change along the path, above 0 and at most 1. Gaps of segments that
        /// cancel each other must not sum to more than five times as much.
        tolerance: f32,
        /// Points of the path at most, 3 to 4096.
        most: usize,
    },
}

/// Settings of integrated gradients.
///
/// ```
/// use xai::{explain, Baseline, Batch, HeadKind, IntegratedGradients, Method, Outcome, Target, Vit, VitConfig};
/// let vit = Vit::random(VitConfig::tiny_for_tests(), HeadKind::Linear(2), 1)?;
/// let batch = Batch::new(ndarray::Array4::from_shape_fn((1, 3, 8, 12), |(_, _, y, x)| (y * x) as f32 / 90.0))?;
/// let method = Method::IntegratedGradients(IntegratedGradients::sundararajan_2017());
/// let map = explain(&vit.trace(&batch, method.probe())?, Target::Class(1), &method)?.remove(0);
/// let gap = map.completeness_gap.expect("integrated gradients promise completeness");
/// assert_eq!(gap.outcome, Outcome::ToleranceMet);
/// let change = gap.score - gap.baseline_score;
/// assert!((map.values.sum() - change).abs() <= 0.011 * change.abs().max(0.01), "{gap:?}");
/// # Ok::<(), xai::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IntegratedGradients {
    /// Where the path begins.
    pub baseline: Baseline,
    /// How the integral is taken.
    pub quadrature: Quadrature,
    /// How channels become one; the signed sum keeps completeness visible in the map.
    pub channels: ChannelReduction,
}

impl IntegratedGradients {
    /// The paper's black picture, integrated until at most 1 % is missing or 256 points were taken.
    ///
    /// A black baseline cannot see dark pixels: where a lesion is nearly black, `x − x₀` is nearly nothing.
    pub fn sundararajan_2017() -> Self {
        Self { baseline: Baseline::Black, quadrature: Quadrature::Adaptive { tolerance: 0.01, most: 256 }, channels: ChannelReduction::Sum }
    }

    /// captum's defaults: zeros after normalisation, 50 Gauss-Legendre steps. For comparison; the gap it leaves is reported too.
    pub fn captum() -> Self {
        Self { baseline: Baseline::MeanColour, quadrature: Quadrature::GaussLegendre { steps: 50 }, channels: ChannelReduction::Sum }
    }

    /// Passes for one image at most.
    pub fn most_passes(&self) -> usize {
        match self.quadrature {
            Quadrature::GaussLegendre { steps } => steps,
            Quadrature::Adaptive { most, .. } => most,
        }
    }

    fn validate(&self) -> Result<(), Error> {
        let (sane, expected) = match self.quadrature {
            Quadrature::GaussLegendre { steps } => ((1..=4096).contains(&steps), "1 to 4096 steps"),
            Quadrature::Adaptive { tolerance, most } => {
                let sane = tolerance > 0.0 && tolerance <= 1.0 && (3..=4096).contains(&most);
                (sane, "a tolerance above 0 and at most 1, and 3 to 4096 steps at most")
            }
        };
        if sane {
            return Ok(());
        }
        let found = format!("{:?}", self.quadrature);
        Err(Error::Shape { what: "integrated gradients' quadrature".into(), expected: expected.into(), found })
    }
}

/// One map an image, with what completeness misses; and how many points a device's passes had at once.
pub(super) type Maps = (Vec<(Array2<f32>, CompletenessGap)>, Option<usize>);

/// The maps of all images.
pub(super) fn maps(trace: &Trace, target: Target, settings: &IntegratedGradients, watch: &mut dyn FnMut(Progress)) -> Result<Maps, Error> {
    settings.validate()?;
    let targets = trace.resolve(target)?;
    let mut passes = Passes::new(trace, settings.most_passes(), watch);
    let mut maps = Vec::new();
    for (picture, target) in trace.batch().pixels().outer_iter().zip(targets) {
        maps.push(map(&mut passes, trace.vit(), picture, target, settings)?);
        passes.skip_to(maps.len() * settings.most_passes());
    }
    Ok((maps, passes.at_once()))
}

/// One picture's map. The target is what the picture itself decided, all along the path.
pub(super) fn map(
    passes: &mut Passes,
    vit: &Vit,
    picture: ArrayView3<f32>,
    target: Target,
    settings: &IntegratedGradients,
) -> Result<(Array2<f32>, CompletenessGap), Error> {
    let path = Path { from: settings.baseline.pixels(vit.preprocessor(), picture)?, to: picture.to_owned(), target };
    let integral = match settings.quadrature {
        Quadrature::GaussLegendre { steps } => legendre::integrate(passes, &path, steps, settings.channels)?,
        Quadrature::Adaptive { tolerance, most } => adaptive::integrate(passes, &path, (f64::from(tolerance), most), settings.channels)?,
    };
    Ok((integral.map, CompletenessGap::of(integral.total, integral.scores, integral.steps, integral.outcome)))
}

/// The straight line from a baseline to a picture, (C, H, W) each, and what is asked along it.
struct Path {
    from: Array3<f32>,
    to: Array3<f32>,
    target: Target,
}

impl Path {
    /// The picture at `at`, exactly the ends at 0 and 1.
    fn point(&self, at: f64) -> Array3<f32> {
        let (near, far) = ((1.0 - at) as f32, at as f32);
        ndarray::Zip::from(&self.from).and(&self.to).map_collect(|from, to| near * from + far * to)
    }

    fn difference(&self) -> Array3<f64> {
        ndarray::Zip::from(&self.from).and(&self.to).map_collect(|&from, &to| f64::from(to) - f64::from(from))
    }
}

/// What a quadrature found.
struct Integral {
    /// `(x − x₀)·∫ ∂score/∂x dα` with channels made one, (H, W).
    map: Array2<f32>,
    /// What it sums to, before channels become one.
    total: f64,
    /// The score at the baseline and at the picture.
    scores: [f64; 2],
    /// Points of the path at which a gradient was taken.
    steps: usize,
    outcome: Outcome,
}
