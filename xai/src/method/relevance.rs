//! Generic attention relevance (Chefer, Gur and Wolf, ICCV 2021, arXiv 2103.15679, eq. 5 and 6):
//! `Ē_l = E_h[(∇A_l ∘ A_l)⁺]`, `R ← R + Ē_l·R` from `R = I`, read where the head reads: at the class token,
//! or as the mean over the rows that a mean-pooled head reads (see [`Trace::start_row`]).
//!
//! The positive part is taken before the mean over heads, and nothing is normalised. Computed as one row inside the
//! backward pass; [`super::explicit::relevance`] is the full product.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::grids;
use crate::{Error, Target, Trace};

/// Settings of relevance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relevance {
    /// The first layer that enters; those below are left out.
    pub start_layer: usize,
}

impl Relevance {
    /// The paper: all layers.
    pub fn chefer_iccv21() -> Self {
        Self { start_layer: 0 }
    }

    pub(super) fn validate(&self, layers: usize) -> Result<(), Error> {
        if self.start_layer < layers {
            return Ok(());
        }
        let expected = format!("0 to {}", layers - 1);
        Err(Error::Shape { what: "relevance's start layer".into(), expected, found: self.start_layer.to_string() })
    }
}

pub(super) fn maps(trace: &Trace, target: Target, settings: &Relevance) -> Result<Vec<Array2<f32>>, Error> {
    settings.validate(trace.layers())?;
    let row = trace.relevance_row(target, settings.start_layer)?;
    Ok(row.map_or(Vec::new(), |row| grids(trace, &row.iter().copied().collect::<Vec<_>>())))
}
