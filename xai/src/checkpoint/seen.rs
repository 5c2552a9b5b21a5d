//! What tensors show of an architecture: everything but the heads, the grid's sides, the activation and epsilon.

use super::layout::Layout;
use super::tensors::Tensors;
use crate::Error;
use crate::vit::choices::Tokens;

/// Dimensions and choices that names and shapes show.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Seen {
    pub hidden: usize,
    pub layers: usize,
    /// 0 in blocks of attention alone.
    pub intermediate: usize,
    /// Width of all heads together.
    pub attention: usize,
    pub patch: usize,
    pub channels: usize,
    /// Rows of the position table.
    pub positions: usize,
    pub tokens: Tokens,
    pub qkv_bias: bool,
    pub layer_scale: bool,
    pub patch_norms: bool,
}

impl Seen {
    /// Reads names and shapes; no values are touched.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] names the tensor that is missing or whose shape no vision transformer has.
    pub fn read(tensors: &Tensors, layout: &Layout) -> Result<Self, Error> {
        let shape = |name: &str| layout.shape(tensors, name);
        let unreadable = |name: &str, shape: &[usize]| {
            tensors.refuse(format!("{} has shape {shape:?}, which no vision transformer has", layout.paths(name).join(", ")))
        };
        // A shape with a zero takes no room in the file, so its other sides may claim anything.
        let needed = |name: &str| match shape(name) {
            Some(shape) if shape.contains(&0) => Err(unreadable(name, shape)),
            Some(shape) => Ok(shape),
            None => Err(missing(tensors, layout, name)),
        };
        let patch = needed("patch_embedding.weight")?;
        let (hidden, channels, side) = patch_shape(patch).ok_or_else(|| unreadable("patch_embedding.weight", patch))?;
        let positions = needed("position_embeddings")?;
        let [.., rows, _] = positions else { return Err(unreadable("position_embeddings", positions)) };
        let qkv = needed("blocks.0.qkv.weight")?;
        let pieces = layout.paths("blocks.0.qkv.weight").len();
        let outputs = qkv.first().ok_or_else(|| unreadable("blocks.0.qkv.weight", qkv))?;
        // vit-pytorch keeps an empty class token where it pools the mean.
        let cls = shape("cls_token").is_some_and(|shape| !shape.contains(&0));
        let registers = shape("register_tokens").map_or(0, |shape| if shape.len() > 1 { shape[shape.len() - 2] } else { 1 });
        Ok(Self {
            hidden,
            layers: (0..).take_while(|layer| shape(&format!("blocks.{layer}.qkv.weight")).is_some()).count(),
            intermediate: shape("blocks.0.fc1.weight").and_then(|shape| shape.first().copied()).unwrap_or(0),
            attention: outputs * pieces / 3,
            patch: side,
            channels,
            positions: *rows,
            tokens: Tokens { cls, distillation: shape("distillation_token").is_some(), registers },
            qkv_bias: shape("blocks.0.qkv.bias").is_some(),
            layer_scale: shape("blocks.0.scale1").is_some(),
            patch_norms: shape("patch_norm_before.weight").is_some(),
        })
    }
}

fn missing(tensors: &Tensors, layout: &Layout, name: &str) -> Error {
    tensors.refuse(format!("{} is missing, without which no architecture can be told", layout.paths(name).join(", ")))
}

/// Width, channels and side of a patch embedding: a convolution (D, C, P, P), or a matrix (D, C·P·P) of 1 or 3 channels.
fn patch_shape(shape: &[usize]) -> Option<(usize, usize, usize)> {
    match *shape {
        [hidden, channels, _, side] => Some((hidden, channels, side)),
        [hidden, values] => {
            let side = |channels: usize| {
                let side = (values / channels).isqrt();
                (side > 0 && channels * side * side == values).then_some(side)
            };
            // 3·P² is never a square, so at most one reading fits.
            side(3).map(|side| (hidden, 3, side)).or_else(|| side(1).map(|side| (hidden, 1, side)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_of_so_many_values_has_one_reading() {
        assert_eq!(patch_shape(&[64, 16]), Some((64, 1, 4)));
        assert_eq!(patch_shape(&[64, 49]), Some((64, 1, 7)));
        assert_eq!(patch_shape(&[8, 48]), Some((8, 3, 4)));
        assert_eq!(patch_shape(&[8, 3]), Some((8, 3, 1)));
        assert_eq!(patch_shape(&[768, 3, 16, 16]), Some((768, 3, 16)));
        assert_eq!(patch_shape(&[8, 50]), None);
        assert_eq!(patch_shape(&[8, 0]), None);
        assert_eq!(patch_shape(&[8]), None);
    }
}
