//! Which launches make a pass's maps.

use super::{fused_bytes, fused_keys, fused_stages};
use crate::attention::Shape;
use crate::cuda::modules::instructions;
use crate::cuda::{Queue, Storage};

/// How a fused map is made beside the context.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MapLaunch {
    /// On the way, by [`super::forward_with_map`], whose blocks own so many queries each.
    Fused {
        /// 64, 32 or 16.
        queries: usize,
    },
    /// After it, by [`super::fused_map`], on a branch beside what follows: the batch alone leaves multiprocessors idle.
    Branch,
    /// After it, in order: the batch fills the device, and what follows would only be held up.
    Apart,
}

/// What the choice depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chip {
    /// As 90 for `sm_90`.
    pub capability: u32,
    /// Multiprocessors.
    pub multiprocessors: usize,
    /// Bytes of shared memory that a block may have.
    pub shared: usize,
}

impl Chip {
    /// The one behind a queue.
    pub fn of(queue: &dyn Queue) -> Self {
        Self { capability: queue.capability(), multiprocessors: queue.multiprocessors(), shared: queue.shared_memory() }
    }
}

impl MapLaunch {
    /// The rule. A block of the fused kernel goes through all heads, so that there are only `images · ceil(tokens / queries)` of them:
    /// where they fill the device, the map costs the least on the way (predicted, not measured: 2 to 3 % of a forward pass of
    /// ViT-L/32-384, against 4 % apart). Where they do not, or where a head's probabilities do not fit the registers, the map is a
    /// launch of its own; and where blocks are few, that launch hides under the main path, which leaves multiprocessors idle.
    /// Each block has as many queries as shared memory has room for, so that keys and values are read seldom.
    ///
    /// ```
    /// use kernels::attention::{Shape, cuda::{Chip, MapLaunch}};
    /// use kernels::cuda::Storage;
    /// let h200 = Chip { capability: 90, multiprocessors: 132, shared: 232_448 };
    /// let of = |images| MapLaunch::of(h200, Storage::Bf16, Shape { images, tokens: 145, heads: 16, head_width: 64 });
    /// assert_eq!([of(1), of(64)], [MapLaunch::Branch, MapLaunch::Fused { queries: 64 }]);
    /// ```
    pub fn of(chip: Chip, storage: Storage, shape: Shape) -> Self {
        let blocks = |queries: usize| shape.images * shape.tokens.div_ceil(queries);
        let fits = |queries: &usize| fused_bytes(storage, shape, *queries) <= chip.shared;
        let held = shape.tokens <= fused_stages(storage, shape.head_width, true) * fused_keys(storage);
        // Before sm_80 nothing is copied beside the work, and products leave few registers: the fused kernel is not compiled there,
        // nor in f16, which every device has as those do.
        let is_compiled = instructions(storage, chip.capability) >= 80;
        let queries = [64, 32, 16].into_iter().find(fits).filter(|_| held && is_compiled);
        match queries {
            Some(queries) if blocks(queries) >= chip.multiprocessors => Self::Fused { queries },
            _ if blocks(64) >= chip.multiprocessors => Self::Apart,
            _ => Self::Branch,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cuda::shared_memory;

    const H200: Chip = Chip { capability: 90, multiprocessors: 132, shared: 232_448 };
    const A100: Chip = Chip { capability: 80, multiprocessors: 108, shared: 166_912 };
    const RTX_4090: Chip = Chip { capability: 89, multiprocessors: 128, shared: 101_376 };
    const T4: Chip = Chip { capability: 75, multiprocessors: 40, shared: 65_536 };

    fn of(chip: Chip, storage: Storage, images: usize, tokens: usize) -> MapLaunch {
        MapLaunch::of(chip, storage, Shape { images, tokens, heads: 12, head_width: 64 })
    }

    #[test]
    fn blocks_that_fill_the_device_are_fused() {
        use MapLaunch::{Apart, Branch, Fused};
        assert_eq!(of(H200, Storage::Bf16, 43, 145), Branch);
        assert_eq!(of(H200, Storage::Bf16, 44, 145), Fused { queries: 64 });
        assert_eq!([of(H200, Storage::Bf16, 13, 577), of(H200, Storage::Bf16, 14, 577)], [Branch, Fused { queries: 64 }]);
        // Less shared memory, fewer queries; none of them where tokens are more than registers hold.
        assert_eq!(
            [of(A100, Storage::Bf16, 64, 577), of(RTX_4090, Storage::Bf16, 64, 577)],
            [Fused { queries: 32 }, Fused { queries: 16 }]
        );
        assert_eq!([of(H200, Storage::Bf16, 64, 641), of(H200, Storage::F32, 64, 577)], [Apart; 2]);
        assert_eq!([of(H200, Storage::Bf16, 1, 641), of(H200, Storage::F32, 1, 577)], [Branch; 2]);
        assert_eq!([of(T4, Storage::F16, 64, 145), of(T4, Storage::F16, 1, 145)], [Apart, Branch]);
        // There is no fused kernel of f16, whatever the device.
        assert_eq!([of(H200, Storage::F16, 64, 145), of(A100, Storage::F16, 1, 145)], [Apart, Branch]);
    }

    #[test]
    fn chips_have_the_shared_memory_of_their_architecture() {
        for chip in [H200, A100, RTX_4090, T4] {
            assert_eq!(shared_memory(chip.capability), chip.shared);
        }
    }
}
