//! What every head of every layer looks at.

use std::fmt;

use anyhow::{Result, ensure};
use ndarray::{Array2, s};
use xai::{HeatMap, Patches, Trace};

/// A map for each layer and head: the class token's attention to the patches.
#[derive(Clone)]
pub struct AttentionSheet {
    maps: Vec<Vec<HeatMap>>,
}

impl AttentionSheet {
    /// Reads the first image of a trace that kept its attention.
    ///
    /// # Errors
    /// When the trace kept too little, or the model has no class token.
    pub fn of(trace: &Trace) -> Result<Self> {
        ensure!(trace.vit().config().special_tokens.cls, "this model has no class token whose attention could be shown");
        let maps = (0..trace.layers()).map(|layer| heads(trace, layer)).collect::<Result<_>>()?;
        Ok(Self { maps })
    }

    /// The map of a head; nothing beyond the model.
    pub fn map(&self, layer: usize, head: usize) -> Option<&HeatMap> {
        self.maps.get(layer)?.get(head)
    }

    /// The maps, layer by layer, each head by head.
    pub fn layers(&self) -> &[Vec<HeatMap>] {
        &self.maps
    }
}

/// One layer's heads. A map of N × N is made, read and given up, so that only one layer's is there at a time.
fn heads(trace: &Trace, layer: usize) -> Result<Vec<HeatMap>> {
    let Patches { rows, cols } = trace.patches();
    let attention = trace.attention(layer)?; // (B, H, N, N)
    let before = trace.token_count() - rows * cols;
    let of_head = |head: usize| {
        let row = attention.slice(s![0, head, 0, before..]); // (patches)
        Ok(HeatMap::new(Array2::from_shape_fn((rows, cols), |(y, x)| row[y * cols + x]))?)
    };
    (0..attention.dim().1).map(of_head).collect()
}

impl fmt::Debug for AttentionSheet {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        writeln!(f, "attention of the class token, {} layers; entropy of each head (1 is uniform):", self.maps.len())?;
        for (layer, heads) in self.maps.iter().enumerate() {
            let entropies: Vec<String> = heads.iter().map(|map| format!("{:.2}", map.entropy())).collect();
            writeln!(f, "layer {:>2}: {}", layer + 1, entropies.join(" "))?;
        }
        Ok(())
    }
}
