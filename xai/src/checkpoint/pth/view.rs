//! A tensor's numbers inside its storage: a run, a transposed matrix or a strided slice, never beyond it and never twice.

use super::super::refusal::{Reason, Refusal};
use super::node::Tensor;

/// Refuses views that leave their storage or show a number twice, as broadcasts do.
///
/// With dimensions ordered by stride, no number is shown twice where each stride is beyond the reach of all smaller ones.
/// So a tensor is never larger than its storage, which is never larger than the file.
pub(super) fn check(name: &str, tensor: &Tensor) -> Result<(), Refusal> {
    let refuse = |reason, problem: String| Err(Refusal::new(reason, format!("tensor {name} of shape {:?} {problem}", tensor.shape)));
    let outside = || refuse(Reason::BadOffsets, format!("leaves its storage of {} numbers", tensor.storage.count));
    if tensor.shape.contains(&0) {
        return if tensor.offset <= tensor.storage.count { Ok(()) } else { outside() };
    }
    let mut steps: Vec<_> = tensor.strides.iter().zip(&tensor.shape).filter(|(_, size)| **size > 1).collect();
    steps.sort_unstable();
    let mut reach = 0_usize;
    for (stride, size) in steps {
        if *stride <= reach {
            let problem = format!("shows numbers of its storage more than once (strides {:?})", tensor.strides);
            return refuse(Reason::UnsupportedTensor, format!("{problem}; save it with .clone()"));
        }
        let further = (size - 1).checked_mul(*stride).and_then(|further| reach.checked_add(further));
        let Some(further) = further else { return refuse(Reason::BadShape, "is larger than any memory".into()) };
        reach = further;
    }
    match tensor.offset.checked_add(reach) {
        Some(last) if last < tensor.storage.count => Ok(()),
        _ => outside(),
    }
}

/// Bytes of a checked tensor.
pub(super) fn length(tensor: &Tensor) -> usize {
    tensor.shape.iter().product::<usize>() * width(tensor)
}

/// Bytes of a number.
pub(super) fn width(tensor: &Tensor) -> usize {
    tensor.storage.dtype.bitsize() / 8
}

/// Whether the numbers of a checked tensor lie one behind the other, in order.
pub(super) fn is_contiguous(tensor: &Tensor) -> bool {
    let mut expected = 1;
    tensor.shape.iter().zip(&tensor.strides).rev().all(|(size, stride)| {
        let fits = *size == 1 || *stride == expected;
        expected *= size;
        fits
    })
}

/// The bytes of a checked tensor in order, taken from its storage's.
pub(super) fn gather(tensor: &Tensor, storage: &[u8]) -> Vec<u8> {
    let width = width(tensor);
    let mut gathered = Vec::with_capacity(length(tensor));
    if tensor.shape.contains(&0) {
        return gathered;
    }
    let mut index = vec![0; tensor.shape.len()];
    let mut at = tensor.offset;
    loop {
        gathered.extend_from_slice(&storage[at * width..(at + 1) * width]);
        // The next index, as an odometer counts: the last dimension fastest.
        let turned = (0..index.len()).rev().find(|&axis| {
            index[axis] += 1;
            at += tensor.strides[axis];
            let turns = index[axis] == tensor.shape[axis];
            if turns {
                at -= tensor.strides[axis] * index[axis];
                index[axis] = 0;
            }
            !turns
        });
        if turned.is_none() {
            return gathered;
        }
    }
}

#[cfg(test)]
mod tests {
    use safetensors::Dtype;

    use super::super::node::Storage;
    use super::*;

    fn view(count: usize, offset: usize, shape: &[usize], strides: &[usize]) -> Tensor<'static> {
        Tensor { storage: Storage { dtype: Dtype::U8, key: "0", count }, offset, shape: shape.into(), strides: strides.into() }
    }

    #[test]
    fn slices_and_transposes_are_gathered_in_order() {
        let storage: Vec<u8> = (0..24).collect();
        let taken = |tensor: Tensor| {
            check("w", &tensor).unwrap();
            (is_contiguous(&tensor), gather(&tensor, &storage))
        };
        assert_eq!(taken(view(24, 3, &[2, 2], &[2, 1])), (true, vec![3, 4, 5, 6]));
        assert_eq!(taken(view(24, 0, &[3, 2], &[1, 3])), (false, vec![0, 3, 1, 4, 2, 5]));
        assert_eq!(taken(view(24, 1, &[2, 3], &[12, 4])), (false, vec![1, 5, 9, 13, 17, 21]));
        assert_eq!(taken(view(24, 23, &[], &[])), (true, vec![23]));
        assert_eq!(taken(view(24, 0, &[1, 2, 1], &[0, 1, 99])), (true, vec![0, 1]));
        assert_eq!(taken(view(24, 24, &[0, 5], &[5, 2])), (false, Vec::new()));
    }

    #[test]
    fn what_leaves_the_storage_or_repeats_it_is_refused() {
        let cases = [
            (view(24, 0, &[5, 5], &[5, 1]), Reason::BadOffsets),
            (view(24, 24, &[], &[]), Reason::BadOffsets),
            (view(24, usize::MAX, &[2], &[1]), Reason::BadOffsets),
            (view(24, 0, &[usize::MAX, 2], &[1, usize::MAX]), Reason::BadShape),
            (view(24, 0, &[usize::MAX, 3], &[2, 1]), Reason::UnsupportedTensor),
            (view(24, 0, &[1 << 40], &[0]), Reason::UnsupportedTensor),
            (view(24, 0, &[4, 4], &[1, 1]), Reason::UnsupportedTensor),
            (view(24, 25, &[2, 0], &[1, 1]), Reason::BadOffsets),
        ];
        for (tensor, reason) in cases {
            assert_eq!(check("w", &tensor).unwrap_err().reason, reason, "{tensor:?}");
        }
    }
}
