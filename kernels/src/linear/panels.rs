//! How a weight lies in memory: cut into panels of 32 outputs, each panel row after row along its inputs.
//!
//! One step of a product reads one panel row, 32 neighbours, and the next step the next row: the walk is straight through
//! memory. The last panel is as narrow as the outputs left; nothing is padded, so a weight takes its own size.
//!
//! Rounded panels hold bf16 (the upper half of an f32): pairs of inputs side by side, as dot products of pairs want them,
//! padded with zeros to 32 outputs and to a multiple of 32 inputs.

use rayon::prelude::*;

use crate::{Buffer, Real};

/// Outputs of a panel: two vectors of AVX-512, one tile of AMX.
pub(crate) const WIDTH: usize = 32;

/// Inputs of one step of a rounded product.
pub(crate) const STEP: usize = 32;

/// Where the panel of output `output` begins, and how wide it is.
pub(crate) fn panel(inputs: usize, outputs: usize, output: usize) -> (usize, usize) {
    let first = output / WIDTH * WIDTH;
    (first * inputs, WIDTH.min(outputs - first))
}

/// Walks tiles of a matrix (rows, cols) that stay in the first cache, and calls `visit(row, col)` for each element.
fn in_tiles(rows: usize, cols: usize, mut visit: impl FnMut(usize, usize)) {
    for (row, col) in (0..rows).step_by(WIDTH).flat_map(|row| (0..cols).step_by(WIDTH).map(move |col| (row, col))) {
        for i in row..rows.min(row + WIDTH) {
            for j in col..cols.min(col + WIDTH) {
                visit(i, j);
            }
        }
    }
}

/// Panels (inputs, outputs) from PyTorch's order, (outputs, inputs) row after row.
pub(super) fn pack<T: Real>(rows: &[T], inputs: usize, outputs: usize) -> Buffer<T> {
    debug_assert_eq!(rows.len(), inputs * outputs);
    let mut packed = Buffer::zeros(rows.len());
    packed.par_chunks_mut((inputs * WIDTH).max(1)).zip(rows.par_chunks((inputs * WIDTH).max(1))).for_each(|(packed, rows)| {
        let width = rows.len() / inputs.max(1);
        in_tiles(width, inputs, |output, input| packed[input * width + output] = rows[output * inputs + input]);
    });
    packed
}

/// The order of PyTorch, (outputs, inputs), from panels (inputs, outputs).
pub(super) fn unpack<T: Real>(packed: &[T], inputs: usize, outputs: usize) -> Vec<T> {
    let mut rows = vec![T::ZERO; packed.len()];
    in_tiles(outputs, inputs, |output, input| {
        let (start, width) = panel(inputs, outputs, output);
        rows[output * inputs + input] = packed[start + input * width + output % WIDTH];
    });
    rows
}

/// Panels (outputs, inputs) from panels (inputs, outputs): the orientation of the backward pass.
pub(super) fn turn<T: Real>(packed: &[T], inputs: usize, outputs: usize) -> Buffer<T> {
    let mut turned = Buffer::zeros(packed.len());
    // A chunk is one panel of the result: 32 inputs, all outputs; the last is as narrow as the inputs left.
    turned.par_chunks_mut((outputs * WIDTH).max(1)).enumerate().for_each(|(at, turned)| {
        let width = WIDTH.min(inputs - at * WIDTH);
        in_tiles(outputs, width, |output, input| {
            let (start, packed_width) = panel(inputs, outputs, output);
            turned[output * width + input] = packed[start + (at * WIDTH + input) * packed_width + output % WIDTH];
        });
    });
    turned
}

/// Values that rounded panels (inputs, outputs) take.
pub(crate) fn rounded_len(inputs: usize, outputs: usize) -> usize {
    inputs.next_multiple_of(STEP) * outputs.next_multiple_of(WIDTH)
}

/// Where (input, output) lies in rounded panels.
pub(crate) fn rounded_index(inputs: usize, input: usize, output: usize) -> usize {
    let panel = output / WIDTH * WIDTH * inputs.next_multiple_of(STEP);
    panel + input / 2 * (2 * WIDTH) + output % WIDTH * 2 + input % 2
}

/// Rounded panels from exact ones.
pub(super) fn round<T: Real>(packed: &[T], inputs: usize, outputs: usize) -> Buffer<u16> {
    let mut rounded = Buffer::zeros(rounded_len(inputs, outputs));
    let panels = rounded.par_chunks_mut((inputs.next_multiple_of(STEP) * WIDTH).max(1));
    panels.zip(packed.par_chunks((inputs * WIDTH).max(1))).for_each(|(rounded, packed)| {
        let width = packed.len() / inputs.max(1);
        in_tiles(inputs, width, |input, output| {
            rounded[rounded_index(inputs, input, output)] = to_bf16(packed[input * width + output].to_f64() as f32);
        });
    });
    rounded
}

/// Rounded panels (outputs, inputs) from rounded panels (inputs, outputs).
pub(super) fn turn_rounded(rounded: &[u16], inputs: usize, outputs: usize) -> Buffer<u16> {
    let mut turned = Buffer::zeros(rounded_len(outputs, inputs));
    turned.par_chunks_mut((outputs.next_multiple_of(STEP) * WIDTH).max(1)).enumerate().for_each(|(at, turned)| {
        in_tiles(WIDTH.min(inputs - at * WIDTH), outputs, |input, output| {
            turned[rounded_index(outputs, output, input)] = rounded[rounded_index(inputs, at * WIDTH + input, output)];
        });
    });
    turned
}

/// Rounds to the nearest bf16, ties to even; NaN stays NaN.
#[inline(always)]
pub(crate) fn to_bf16(value: f32) -> u16 {
    let bits = value.to_bits();
    let rounded = (bits.wrapping_add(0x7FFF + ((bits >> 16) & 1)) >> 16) as u16;
    if value.is_nan() { (bits >> 16) as u16 | 0x40 } else { rounded }
}

/// Widens exactly.
#[inline(always)]
pub(crate) fn from_bf16(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::seeded;

    #[test]
    fn packing_turning_and_unpacking_lose_nothing() {
        for (inputs, outputs) in [(1, 1), (3, 5), (40, 33), (33, 64), (64, 100)] {
            let rows = seeded::<f32>(3, inputs * outputs);
            let packed = pack(&rows, inputs, outputs);
            assert_eq!(unpack(&packed, inputs, outputs), rows);
            let back = turn(&turn(&packed, inputs, outputs), outputs, inputs);
            assert_eq!(back, packed);
            let rounded = round(&packed, inputs, outputs);
            assert_eq!(turn_rounded(&turn_rounded(&rounded, inputs, outputs), outputs, inputs), rounded);
        }
    }

    #[test]
    fn bf16_rounds_to_nearest_even() {
        assert_eq!(from_bf16(to_bf16(1.0)), 1.0);
        assert_eq!(from_bf16(to_bf16(1.0 + 1.0 / 256.0)), 1.0, "a tie goes to the even neighbour");
        assert_eq!(from_bf16(to_bf16(1.0 + 3.0 / 256.0)), 1.0 + 4.0 / 256.0);
        assert!(from_bf16(to_bf16(f32::NAN)).is_nan());
        assert_eq!(from_bf16(to_bf16(f32::NEG_INFINITY)), f32::NEG_INFINITY);
    }
}
