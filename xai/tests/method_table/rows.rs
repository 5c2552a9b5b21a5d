//! The table: one row a method, with what is expected of it.

use xai::{
    AttentionMap, Baseline, ChannelReduction, Discard, Gradient, GradientRollout, HeadChoice, HeadFusion, InputXGradient,
    IntegratedGradients, LayerChoice, Method, Normalise, Relevance, Residual, Rollout, SmoothGrad,
};

/// What a method reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reads {
    /// Attention alone: class-blind, the same map for every target.
    Attention,
    /// Positive parts of gradient times attention.
    Relevance,
    /// Gradients through an absolute value: a target and its opposite share a map.
    GradientSize,
    /// Gradients as they are: linear in the target.
    SignedGradient,
    /// Gradients along a path whose points the target itself decides: signed, and linear only as far as the gap allows.
    SignedIntegral,
}

impl Reads {
    /// Whether the opposite target has the opposite map.
    pub fn is_signed(self) -> bool {
        matches!(self, Self::SignedGradient | Self::SignedIntegral)
    }
}

pub struct Row {
    pub name: String,
    pub method: Method,
    pub reads: Reads,
}

impl Row {
    pub fn is_on_patches(&self) -> bool {
        matches!(self.reads, Reads::Attention | Reads::Relevance)
    }

    /// Whether it asks the same of a picture whose patches were moved: noise stays where it is, and a blur mixes neighbours.
    pub fn moves_with_patches(&self) -> bool {
        match &self.method {
            Method::SmoothGrad(_) => false,
            Method::IntegratedGradients(settings) => !matches!(settings.baseline, Baseline::Blurred { .. }),
            _ => true,
        }
    }
}

/// Every named method, and its settings varied; a new method is one line.
pub fn rows() -> Vec<Row> {
    let named = Method::named().into_iter().map(|(name, method, _)| {
        let reads = match name {
            "relevance" | "gradient-rollout" | "gradient-rollout-vit-explain" => Reads::Relevance,
            "gradient" | "smoothgrad" | "smoothgrad-squared" | "vargrad" => Reads::GradientSize,
            "input-x-gradient" => Reads::SignedGradient,
            "integrated-gradients" => Reads::SignedIntegral,
            _ => Reads::Attention,
        };
        Row { name: name.to_owned(), method, reads }
    });
    named.chain(varied().into_iter().map(|(name, reads, method)| Row { name: name.to_owned(), method, reads })).collect()
}

type Varied = (&'static str, Reads, Method);

fn varied() -> Vec<Varied> {
    [varied_attention(), varied_gradients(), varied_passes()].concat()
}

fn varied_attention() -> Vec<Varied> {
    let attention = |layer, head| (Reads::Attention, Method::Attention(AttentionMap { layer, head }));
    let rollout = |settings| (Reads::Attention, Method::Rollout(settings));
    let (fused, mean) = (HeadChoice::Fused, Rollout::abnar_2020());
    let cases = [
        ("attention, layer 0, mean", attention(LayerChoice::Index(0), fused(HeadFusion::Mean))),
        ("attention, layer 1, head 2", attention(LayerChoice::Index(1), HeadChoice::Index(2))),
        ("attention, last layer, head 0", attention(LayerChoice::Last, HeadChoice::Index(0))),
        ("attention, max", attention(LayerChoice::Last, fused(HeadFusion::Max))),
        ("attention, min", attention(LayerChoice::Last, fused(HeadFusion::Min))),
        ("rollout, max", rollout(Rollout { head_fusion: HeadFusion::Max, ..mean })),
        ("rollout, min", rollout(Rollout { head_fusion: HeadFusion::Min, ..mean })),
        ("rollout from layer 1", rollout(Rollout { start_layer: 1, ..mean })),
        ("rollout, little residual", rollout(Rollout { residual: Residual { weight: 0.1 }, ..mean })),
        ("rollout, not normalised", rollout(Rollout { normalise: Normalise::Nothing, head_fusion: HeadFusion::Max, ..mean })),
    ];
    cases.map(|(name, (reads, method))| (name, reads, method)).into()
}

fn varied_gradients() -> Vec<Varied> {
    use Reads::{GradientSize, Relevance as OfRelevance, SignedGradient};
    let weighted = |settings| Method::GradientRollout(settings);
    let fixed = GradientRollout::vit_explain_fixed();
    let gradient = |channels| Method::Gradient(Gradient { channels });
    let product = |channels| Method::InputXGradient(InputXGradient { channels });
    vec![
        ("relevance from layer 1", OfRelevance, Method::Relevance(Relevance { start_layer: 1 })),
        ("relevance of the last layer", OfRelevance, Method::Relevance(Relevance { start_layer: 2 })),
        ("gradient rollout, nothing discarded", OfRelevance, weighted(GradientRollout { discard: Discard::Nothing, ..fixed })),
        ("gradient rollout, little residual", OfRelevance, weighted(GradientRollout { residual: Residual { weight: 0.1 }, ..fixed })),
        ("gradient, length", GradientSize, gradient(ChannelReduction::Length)),
        ("gradient, sum", SignedGradient, gradient(ChannelReduction::Sum)),
        ("input x gradient, largest", GradientSize, product(ChannelReduction::MaxAbs)),
        ("input x gradient, length", GradientSize, product(ChannelReduction::Length)),
    ]
}

fn varied_passes() -> Vec<Varied> {
    use Reads::{GradientSize, SignedGradient, SignedIntegral};
    let smooth = SmoothGrad { samples: 8, ..SmoothGrad::smilkov_2017() };
    let noisy = Method::SmoothGrad;
    let (adaptive, integrated) = (IntegratedGradients::sundararajan_2017, Method::IntegratedGradients);
    let from = |baseline| integrated(IntegratedGradients { baseline, ..adaptive() });
    let of_length = IntegratedGradients { channels: ChannelReduction::Length, ..adaptive() };
    vec![
        ("smoothgrad, sum", SignedGradient, noisy(SmoothGrad { channels: ChannelReduction::Sum, ..smooth })),
        ("smoothgrad, little noise", GradientSize, noisy(SmoothGrad { noise: 0.05, samples: 5, seed: 3, ..smooth })),
        ("integrated gradients, captum", SignedGradient, integrated(IntegratedGradients::captum())),
        ("integrated gradients from white", SignedIntegral, from(Baseline::White)),
        ("integrated gradients from a blur", SignedIntegral, from(Baseline::Blurred { sigma: 2.0 })),
        ("integrated gradients, length", GradientSize, integrated(of_length)),
    ]
}
