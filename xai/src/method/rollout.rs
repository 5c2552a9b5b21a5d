//! Attention rollout (Abnar and Zuidema, ACL 2020, arXiv 2005.00928): `R = Ã_L ⋯ Ã_1`, read where the head reads: at the class token,
//! or as the mean over the rows that a mean-pooled head reads (see [`Trace::start_row`]).
//!
//! Computed as one row pushed from the last layer down, at 2·N² operations a layer; [`super::explicit::rollout`] is the
//! full product, the oracle of the tests.

use kernels::attention::HeadFusion;
use kernels::rollout::{Layer, Normalise, push_row};
use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::grids;
use crate::{Error, Trace};

/// Weight of the identity in a layer's matrix: `Ã = w·I + (1 − w)·F`, in [0, 1].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Residual {
    /// 0.5 in the paper.
    pub weight: f32,
}

/// Entries that discarding leaves alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protect {
    /// Attention *to* the class token, the whole first column; nothing in a model without a class token.
    ClsColumn,
    /// Only entry (CLS, CLS): what vit-explain does where it means the class token.
    ClsToCls,
    /// None: what vit-explain's gradient rollout does.
    Nothing,
}

/// Small entries of the fused map that are set to zero.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Discard {
    /// None.
    Nothing,
    /// The `⌊ratio·N²⌋` lowest of the map; protected ones among them stay, and no other takes their place.
    /// Entries equal to the lowest that is kept stay as well.
    Lowest {
        /// Share of the entries, in [0, 1].
        ratio: f32,
        /// What stays in any case.
        protect: Protect,
    },
}

/// Settings of rollout; the presets carry the name of their source.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Rollout {
    /// How heads become one map.
    #[serde(with = "fusion")]
    pub head_fusion: HeadFusion,
    /// The share of the identity.
    pub residual: Residual,
    /// What small attention becomes.
    pub discard: Discard,
    /// What is divided by row sums.
    #[serde(with = "normalise")]
    pub normalise: Normalise,
    /// The first layer that enters the product; those below are left out.
    pub start_layer: usize,
}

impl Rollout {
    /// The paper: mean over heads, half identity.
    pub fn abnar_2020() -> Self {
        Self {
            head_fusion: HeadFusion::Mean,
            residual: Residual { weight: 0.5 },
            discard: Discard::Nothing,
            normalise: Normalise::Rows,
            start_layer: 0,
        }
    }

    /// The ViT authors' figure: mean over heads, identity added, rows renormalised; the same matrices as the paper's.
    pub fn google_vit() -> Self {
        Self::abnar_2020()
    }

    /// vit-explain's settings (max fusion, 90 % discarded) computed as they are meant: rows are normalised, the class token is kept.
    pub fn vit_explain_fixed() -> Self {
        Self { head_fusion: HeadFusion::Max, discard: Discard::Lowest { ratio: 0.9, protect: Protect::ClsColumn }, ..Self::abnar_2020() }
    }

    /// vit-explain as it computes: columns divided by row sums, only (CLS, CLS) protected. For comparison with published maps only.
    pub fn vit_explain_compat() -> Self {
        Self {
            discard: Discard::Lowest { ratio: 0.9, protect: Protect::ClsToCls },
            normalise: Normalise::ColumnsByRowSums,
            ..Self::vit_explain_fixed()
        }
    }

    /// How one layer enters the product.
    pub(super) fn layer(&self) -> Layer {
        Layer { residual: f64::from(self.residual.weight), normalise: self.normalise }
    }

    pub(super) fn validate(&self, layers: usize) -> Result<(), Error> {
        expect_sane("rollout", self.residual, self.discard, self.start_layer, layers)
    }
}

impl Default for Rollout {
    fn default() -> Self {
        Self::abnar_2020()
    }
}

/// Refuses numbers that mean nothing in `method`.
pub(super) fn expect_sane(method: &str, residual: Residual, discard: Discard, start_layer: usize, layers: usize) -> Result<(), Error> {
    let ratio = if let Discard::Lowest { ratio, .. } = discard { ratio } else { 0.0 };
    let refuse = |what: &str, expected: String, found: String| Err(Error::Shape { what: format!("{method}'s {what}"), expected, found });
    if !(0.0..=1.0).contains(&residual.weight) || !(0.0..=1.0).contains(&ratio) {
        let found = format!("{} and {ratio}", residual.weight);
        return refuse("residual weight and discard ratio", "numbers in 0 to 1".into(), found);
    }
    if start_layer >= layers {
        return refuse("start layer", format!("0 to {}", layers - 1), start_layer.to_string());
    }
    Ok(())
}

pub(super) fn maps(trace: &Trace, settings: &Rollout) -> Result<Vec<Array2<f32>>, Error> {
    let tokens = trace.token_count();
    settings.validate(trace.layers())?;
    // Discarding needs an order over a whole map, which is made here.
    if settings.discard == Discard::Nothing
        && let Some(row) = trace.pushed_row(settings.head_fusion, settings.layer(), settings.start_layer)?
    {
        return Ok(grids(trace, &row));
    }
    let mut row = trace.start_row().into_raw_vec_and_offset().0;
    for layer in (settings.start_layer..trace.layers()).rev() {
        let map = prepared(trace, settings, layer)?;
        push_row(settings.layer(), &map, &mut row, tokens)?;
    }
    Ok(grids(trace, &row))
}

/// The fused map (B, N, N) of a layer after discarding.
pub(super) fn prepared(trace: &Trace, settings: &Rollout, layer: usize) -> Result<Vec<f32>, Error> {
    let mut map = trace.fused_attention(layer, settings.head_fusion)?.into_raw_vec_and_offset().0;
    if let Discard::Lowest { ratio, protect } = settings.discard {
        let tokens = trace.token_count();
        let protect = protect.in_model(trace);
        map.chunks_mut(tokens * tokens).for_each(|map| discard(map, tokens, ratio, protect));
    }
    Ok(map)
}

impl Protect {
    /// Nothing in a model without a class token.
    pub(super) fn in_model(self, trace: &Trace) -> Self {
        if trace.vit().config().special_tokens.cls { self } else { Self::Nothing }
    }
}

/// Zeroes the lowest entries of one image's map. Those equal to the lowest that stays, stay: the order of tokens decides nothing.
pub(super) fn discard(map: &mut [f32], tokens: usize, ratio: f32, protect: Protect) {
    // The ratio as it was written: 0.9, not the 0.899999976 of its 4 bytes, which loses an entry where ratio·N² is whole.
    let ratio: f64 = ratio.to_string().parse().unwrap_or(f64::from(ratio));
    let count = ((ratio * map.len() as f64) as usize).min(map.len());
    let lowest_kept = match map.to_vec().select_nth_unstable_by(count.min(map.len() - 1), f32::total_cmp) {
        (_, value, _) if count < map.len() => *value,
        _ => f32::INFINITY,
    };
    for (index, value) in map.iter_mut().enumerate().filter(|(_, value)| **value < lowest_kept) {
        let stays = match protect {
            Protect::ClsColumn => index % tokens == 0,
            Protect::ClsToCls => index == 0,
            Protect::Nothing => false,
        };
        if !stays {
            *value = 0.0;
        }
    }
}

/// Head fusion by name in recipes.
pub(super) mod fusion {
    use super::HeadFusion;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    const NAMES: [(&str, HeadFusion); 3] = [("mean", HeadFusion::Mean), ("max", HeadFusion::Max), ("min", HeadFusion::Min)];

    pub fn serialize<S: Serializer>(fusion: &HeadFusion, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(NAMES.iter().find(|(_, known)| known == fusion).map_or("", |(name, _)| name))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<HeadFusion, D::Error> {
        let name = String::deserialize(deserializer)?;
        NAMES
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, fusion)| *fusion)
            .ok_or_else(|| D::Error::custom("head fusion is mean, max or min"))
    }
}

/// Normalisation by name in recipes.
pub(super) mod normalise {
    use super::Normalise;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    const NAMES: [(&str, Normalise); 3] =
        [("rows", Normalise::Rows), ("columns_by_row_sums", Normalise::ColumnsByRowSums), ("nothing", Normalise::Nothing)];

    pub fn serialize<S: Serializer>(normalise: &Normalise, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(NAMES.iter().find(|(_, known)| known == normalise).map_or("", |(name, _)| name))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Normalise, D::Error> {
        let name = String::deserialize(deserializer)?;
        let found = NAMES.iter().find(|(known, _)| *known == name).map(|(_, normalise)| *normalise);
        found.ok_or_else(|| D::Error::custom("normalisation is rows, columns_by_row_sums or nothing"))
    }
}
