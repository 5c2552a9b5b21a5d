//! The table: one row a method, with what is expected of it.

use xai::{
    AttentionMap, ChannelReduction, Gradient, HeadChoice, HeadFusion, InputXGradient, LayerChoice, Method, Normalise, Relevance, Residual,
    Rollout,
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
}

/// Every named method, and its settings varied; a new method is one line.
pub fn rows() -> Vec<Row> {
    let named = Method::named().into_iter().map(|(name, method, _)| {
        let reads = match name {
            "relevance" => Reads::Relevance,
            "gradient" => Reads::GradientSize,
            "input-x-gradient" => Reads::SignedGradient,
            _ => Reads::Attention,
        };
        Row { name: name.to_owned(), method, reads }
    });
    named.chain(varied().into_iter().map(|(name, reads, method)| Row { name: name.to_owned(), method, reads })).collect()
}

fn varied() -> Vec<(&'static str, Reads, Method)> {
    use Reads::{Attention, GradientSize, Relevance as OfRelevance, SignedGradient};
    let attention = |layer, head| Method::Attention(AttentionMap { layer, head });
    let (fused, mean) = (HeadChoice::Fused, Rollout::abnar_2020());
    let gradient = |channels| Method::Gradient(Gradient { channels });
    let product = |channels| Method::InputXGradient(InputXGradient { channels });
    vec![
        ("attention, layer 0, mean", Attention, attention(LayerChoice::Index(0), fused(HeadFusion::Mean))),
        ("attention, layer 1, head 2", Attention, attention(LayerChoice::Index(1), HeadChoice::Index(2))),
        ("attention, last layer, head 0", Attention, attention(LayerChoice::Last, HeadChoice::Index(0))),
        ("attention, max", Attention, attention(LayerChoice::Last, fused(HeadFusion::Max))),
        ("attention, min", Attention, attention(LayerChoice::Last, fused(HeadFusion::Min))),
        ("rollout, max", Attention, Method::Rollout(Rollout { head_fusion: HeadFusion::Max, ..mean })),
        ("rollout, min", Attention, Method::Rollout(Rollout { head_fusion: HeadFusion::Min, ..mean })),
        ("rollout from layer 1", Attention, Method::Rollout(Rollout { start_layer: 1, ..mean })),
        ("rollout, little residual", Attention, Method::Rollout(Rollout { residual: Residual { weight: 0.1 }, ..mean })),
        (
            "rollout, not normalised",
            Attention,
            Method::Rollout(Rollout { normalise: Normalise::Nothing, head_fusion: HeadFusion::Max, ..mean }),
        ),
        ("relevance from layer 1", OfRelevance, Method::Relevance(Relevance { start_layer: 1 })),
        ("relevance of the last layer", OfRelevance, Method::Relevance(Relevance { start_layer: 2 })),
        ("gradient, length", GradientSize, gradient(ChannelReduction::Length)),
        ("gradient, sum", SignedGradient, gradient(ChannelReduction::Sum)),
        ("input x gradient, largest", GradientSize, product(ChannelReduction::MaxAbs)),
        ("input x gradient, length", GradientSize, product(ChannelReduction::Length)),
    ]
}
