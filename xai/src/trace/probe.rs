//! What a trace keeps.

use kernels::attention::HeadFusion;

use crate::vit::forward::Keep;

/// What to keep of a forward pass, from least to most memory.
///
/// | probe | memory per image | feeds |
/// |---|---|---|
/// | `Logits` | none | logits, features |
/// | `Fused` | L·N² | rollout with this fusion |
/// | `Attention` | L·N·(3·D + H) | every attention map and rollout |
/// | `Gradients` | L·N·(6·D + M + H) | everything |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probe {
    /// Logits and features only.
    Logits,
    /// The map of every block fused over heads while it passes by.
    Fused(HeadFusion),
    /// Queries and keys, from which every map is made again on demand.
    Attention,
    /// All that a backward pass needs.
    Gradients,
}

impl Probe {
    /// True where a trace made with `self` serves a read-out that needs `needed`.
    ///
    /// ```
    /// use xai::{HeadFusion, Probe};
    /// assert!(Probe::Gradients.covers(Probe::Fused(HeadFusion::Max)));
    /// assert!(!Probe::Fused(HeadFusion::Mean).covers(Probe::Fused(HeadFusion::Max)));
    /// ```
    pub fn covers(self, needed: Self) -> bool {
        match (self, needed) {
            (Self::Gradients, _) | (_, Self::Logits) => true,
            (Self::Attention, needed) => needed != Self::Gradients,
            (kept, needed) => kept == needed,
        }
    }

    /// The least probe that serves both.
    ///
    /// ```
    /// use xai::{HeadFusion, Probe};
    /// assert_eq!(Probe::Fused(HeadFusion::Mean).with(Probe::Fused(HeadFusion::Max)), Probe::Attention);
    /// ```
    pub fn with(self, other: Self) -> Self {
        if self.covers(other) {
            self
        } else if other.covers(self) {
            other
        } else {
            Self::Attention
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Logits => "Probe::Logits",
            Self::Fused(_) => "Probe::Fused",
            Self::Attention => "Probe::Attention",
            Self::Gradients => "Probe::Gradients",
        }
    }

    pub(crate) fn keep(self) -> Keep {
        match self {
            Self::Logits => Keep::Nothing,
            Self::Fused(fusion) => Keep::Fused(fusion),
            Self::Attention => Keep::Attention,
            Self::Gradients => Keep::Everything,
        }
    }
}
