//! Which maps are asked for, and with which conventions.

use clap::Args;
use xai::{Discard, HeadChoice, HeadFusion, LayerChoice, Method, Protect, Quadrature, SmoothGrad, Vit};

use super::baseline::BaselineChoice;

/// Which methods, and their conventions where they differ from the preset.
#[derive(Debug, Args)]
pub struct MethodArguments {
    /// Methods, separated by commas; `all` for every one. A name that does not exist is answered with those that do
    #[arg(long, value_name = "LIST", default_value = "rollout,relevance", value_delimiter = ',', long_help = catalogue())]
    pub method: Vec<String>,

    /// Layer of `attention`, from 0 [default: the last]
    #[arg(long, value_name = "N", help_heading = "Settings of methods")]
    pub layer: Option<usize>,

    /// Head of `attention`, from 0 [default: the mean of all]
    #[arg(long, value_name = "N", help_heading = "Settings of methods")]
    pub head: Option<usize>,

    /// How heads become one map in rollout: mean, max or min [default: the preset's]
    #[arg(long, value_name = "FUSION", help_heading = "Settings of methods")]
    pub head_fusion: Option<Fusion>,

    /// Share of the lowest attention that rollouts discard, 0 to 1 [default: the preset's]
    #[arg(long, value_name = "RATIO", help_heading = "Settings of methods")]
    pub discard: Option<f32>,

    /// First layer that enters rollouts and relevance, from 0
    #[arg(long, value_name = "N", help_heading = "Settings of methods")]
    pub start_layer: Option<usize>,

    /// Noisy copies of a picture in smoothgrad and its kin, a forward and a backward pass each [default: 50]
    #[arg(long, value_name = "N", help_heading = "Settings of methods")]
    pub samples: Option<usize>,

    /// Deviation of their noise as a share of the picture's range, 0 to 1 [default: 0.15]
    #[arg(long, value_name = "SHARE", help_heading = "Settings of methods")]
    pub noise: Option<f32>,

    /// Seed of their noise [default: 0]
    #[arg(long, value_name = "SEED", help_heading = "Settings of methods")]
    pub noise_seed: Option<u64>,

    /// Where integrated gradients begin: black, white, mean (zero after normalisation), blurred, blurred:PIXELS, or a picture
    #[arg(long, value_name = "BASELINE|FILE", help_heading = "Settings of methods")]
    pub baseline: Option<BaselineChoice>,

    /// Share of the score's change that integrated gradients may miss [default: 0.01]
    #[arg(long, value_name = "SHARE", help_heading = "Settings of methods", conflicts_with = "steps")]
    pub tolerance: Option<f32>,

    /// Points of the path at which they give up and say so, a forward and a backward pass each [default: 256]
    #[arg(long, value_name = "N", help_heading = "Settings of methods", conflicts_with = "steps")]
    pub most_steps: Option<usize>,

    /// A fixed number of Gauss-Legendre points instead, whatever they miss
    #[arg(long, value_name = "N", help_heading = "Settings of methods")]
    pub steps: Option<usize>,
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

/// Every method with what it costs, for `--help`.
fn catalogue() -> String {
    let line = |(name, method, about): (&str, Method, &str)| format!("  {name}: {about}; {}", method.cost());
    let lines: Vec<String> = Method::named().into_iter().map(line).collect();
    format!("Methods, separated by commas; `all` for every one. Those of one or two passes share them:\n\n{}\n", lines.join("\n"))
}

impl MethodArguments {
    /// The methods in the order they were named, each with its name; a baseline that is a picture is read for the model later.
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

    /// Gives integrated gradients the baseline that was asked for, prepared for the model.
    pub fn give_baseline(&self, vit: &Vit, methods: &mut [(String, Method)]) -> anyhow::Result<()> {
        let Some(choice) = &self.baseline else { return Ok(()) };
        let baseline = choice.read(vit)?;
        for (_, method) in methods {
            if let Method::IntegratedGradients(settings) = method {
                settings.baseline = baseline.clone();
            }
        }
        Ok(())
    }

    fn adjusted(&self, method: Method) -> Method {
        let discarding = |preset| self.discard.map_or(preset, |ratio| Discard::Lowest { ratio, protect: Protect::ClsColumn });
        match method {
            Method::Attention(mut map) => {
                map.layer = self.layer.map_or(map.layer, LayerChoice::Index);
                map.head = self.head.map_or(map.head, HeadChoice::Index);
                Method::Attention(map)
            }
            Method::Rollout(mut rollout) => {
                rollout.head_fusion = self.head_fusion.map_or(rollout.head_fusion, Fusion::of_heads);
                rollout.discard = discarding(rollout.discard);
                rollout.start_layer = self.start_layer.unwrap_or(rollout.start_layer);
                Method::Rollout(rollout)
            }
            Method::GradientRollout(mut rollout) => {
                rollout.discard = discarding(rollout.discard);
                rollout.start_layer = self.start_layer.unwrap_or(rollout.start_layer);
                Method::GradientRollout(rollout)
            }
            Method::Relevance(mut relevance) => {
                relevance.start_layer = self.start_layer.unwrap_or(relevance.start_layer);
                Method::Relevance(relevance)
            }
            Method::SmoothGrad(settings) => Method::SmoothGrad(SmoothGrad {
                samples: self.samples.unwrap_or(settings.samples),
                noise: self.noise.unwrap_or(settings.noise),
                seed: self.noise_seed.unwrap_or(settings.seed),
                ..settings
            }),
            Method::IntegratedGradients(mut settings) => {
                settings.quadrature = self.quadrature(settings.quadrature);
                Method::IntegratedGradients(settings)
            }
            other => other,
        }
    }

    fn quadrature(&self, preset: Quadrature) -> Quadrature {
        match (self.steps, preset) {
            (Some(steps), _) => Quadrature::GaussLegendre { steps },
            (None, Quadrature::Adaptive { tolerance, most }) => {
                Quadrature::Adaptive { tolerance: self.tolerance.unwrap_or(tolerance), most: self.most_steps.unwrap_or(most) }
            }
            (None, fixed) => fixed,
        }
    }
}

impl Fusion {
    fn of_heads(self) -> HeadFusion {
        match self {
            Self::Mean => HeadFusion::Mean,
            Self::Max => HeadFusion::Max,
            Self::Min => HeadFusion::Min,
        }
    }
}
