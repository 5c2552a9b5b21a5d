//! Raw attention: how much the class token looks at each patch, in one layer; for a head that reads the mean of the patches,
//! how much they look at each on average.

use kernels::attention::HeadFusion;
use ndarray::{Array2, Array3, Axis};
use serde::{Deserialize, Serialize};

use super::grids;
use crate::{Error, Trace};

/// Which block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LayerChoice {
    /// The last block.
    Last,
    /// A block by its index from 0.
    Index(usize),
}

/// Which head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeadChoice {
    /// All heads fused into one map.
    Fused(#[serde(with = "super::rollout::fusion")] HeadFusion),
    /// A head by its index from 0.
    Index(usize),
}

/// The CLS row of one map, `A_l[h][CLS, patches]`, or the rows that the head reads in their mean ([`Trace::start_row`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttentionMap {
    /// Which block.
    pub layer: LayerChoice,
    /// Which head.
    pub head: HeadChoice,
}

impl Default for AttentionMap {
    fn default() -> Self {
        Self { layer: LayerChoice::Last, head: HeadChoice::Fused(HeadFusion::Mean) }
    }
}

pub(super) fn maps(trace: &Trace, settings: &AttentionMap) -> Result<Vec<Array2<f32>>, Error> {
    let layer = match settings.layer {
        LayerChoice::Last => trace.layers() - 1,
        LayerChoice::Index(layer) => layer,
    };
    let map: Array3<f32> = match settings.head {
        HeadChoice::Fused(fusion) => trace.fused_attention(layer, fusion)?,
        HeadChoice::Index(head) => {
            let maps = trace.attention(layer)?;
            expect_head(head, maps.len_of(Axis(1)))?;
            maps.index_axis(Axis(1), head).to_owned()
        }
    };
    let read = trace.start_row().outer_iter().zip(map.outer_iter()).flat_map(|(start, map)| start.dot(&map)).collect::<Vec<_>>(); // (B, N)
    Ok(grids(trace, &read))
}

fn expect_head(head: usize, heads: usize) -> Result<(), Error> {
    if head < heads {
        return Ok(());
    }
    Err(Error::Unknown { what: "head".into(), given: head.to_string(), known: (0..heads).map(|head| head.to_string()).collect() })
}
