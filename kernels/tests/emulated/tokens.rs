//! Rows of tokens and of patches of numbers; their kernels have no barrier.

use kernels::check::seeded;
use kernels::cuda::Fault;
use kernels::patchify;
use kernels::tokens::{self, Part, Shape, cuda};

use crate::emulator::Schedule;
use crate::memory::{Array, Gate, Storage, compare};
use crate::queue::Emulated;

const SHAPES: [Shape; 3] =
    [Shape { images: 1, tokens: 1, width: 8 }, Shape { images: 3, tokens: 17, width: 72 }, Shape { images: 2, tokens: 145, width: 64 }];

fn done(started: Result<(), Fault>) -> Result<(), String> {
    started.map_err(|fault| fault.to_string())
}

fn joined_and_cut(queue: &Emulated, storage: Storage, shape: Shape) -> Result<(), String> {
    let Shape { images, tokens, width } = shape;
    let special = tokens.min(3) - usize::from(tokens > 1);
    let singles = |seed, count| Array::new(Storage::F32, &seeded(seed, count));
    let patches = Array::new(storage, &seeded(1, images * (tokens - special) * width));
    let (special_rows, positions) = (singles(2, special * width), singles(3, (tokens - special) * width));
    let (all, mut exact) = (Array::poisoned(storage, shape.total()), vec![0.0; shape.total()]);
    tokens::join(shape, &special_rows.values(), &patches.values(), &positions.values(), &mut exact).expect("the shapes fit");
    let [images_, count, special_, width_] = [images, tokens, special, width].map(|n| n as i32);
    let join = cuda::Join {
        patches: patches.address(),
        special_rows: special_rows.address(),
        positions: positions.address(),
        tokens: all.address(),
        images: images_,
        count,
        special: special_,
        width: width_,
    };
    done(cuda::join(queue, storage, join))?;
    compare("joined", &all, &exact, storage.gate())?;
    for (first, kept) in [(0, 1), (special, tokens - special), (tokens - 1, 3)] {
        let (some, mut exact) = (Array::poisoned(storage, images * kept * width), vec![0.0; images * kept * width]);
        tokens::cut(shape, &all.values(), first, &mut exact).expect("the shapes fit");
        let [from_tokens, to_tokens, first] = [tokens, kept, first].map(|n| n as i32);
        let (from, to) = (all.address(), some.address());
        done(cuda::cut(queue, storage, cuda::Cut { from, to, images: images_, from_tokens, to_tokens, first, width: width_ }))?;
        compare("cut", &some, &exact, storage.gate())?;
    }
    Ok(())
}

fn pooled(queue: &Emulated, storage: Storage, shape: Shape) -> Result<(), String> {
    let all = Array::new(storage, &seeded(4, shape.total()));
    let rest = Part { first: shape.tokens.min(2) - 1, count: shape.tokens + 1 - shape.tokens.min(2) };
    for parts in [vec![Part { first: 0, count: 1 }], vec![rest], vec![Part { first: 0, count: 1 }, rest]] {
        let len = shape.images * parts.len() * shape.width;
        let (mean, mut exact) = (Array::poisoned(Storage::F32, len), vec![0.0; len]);
        tokens::pool(shape, &parts, &all.values(), &mut exact).expect("the shapes fit");
        done(cuda::pool(queue, storage, shape, &parts, (all.address(), mean.address())))?;
        compare("pooled", &mean, &exact, Storage::F32.gate())?;
        let (back, mut exact) = (Array::poisoned(storage, shape.total()), vec![0.0; shape.total()]);
        tokens::pool_backward(shape, &parts, &mean.values(), &mut exact).expect("the shapes fit");
        exact.iter_mut().for_each(|value| *value *= 4.0);
        done(cuda::pool_backward(queue, storage, shape, &parts, (mean.address(), back.address()), 4.0))?;
        compare("pooled back", &back, &exact, storage.gate())?;
    }
    Ok(())
}

fn patched(queue: &Emulated, storage: Storage, shape: patchify::Shape, pitch: usize) -> Result<(), String> {
    let pixels = Array::new(Storage::F32, &seeded(5, shape.total()));
    let mut cut = vec![0.0; shape.total()];
    patchify::patchify(shape, &pixels.values(), &mut cut).expect("the shapes fit");
    let filled = |row: &[f64]| row.iter().copied().chain(std::iter::repeat_n(0.0, pitch - row.len())).collect::<Vec<_>>();
    let exact: Vec<f64> = cut.chunks(shape.patch_len()).flat_map(filled).collect();
    let patches = Array::poisoned(storage, exact.len());
    done(patchify::cuda::patchify(queue, storage, shape, (pixels.address(), patches.address()), pitch))?;
    compare("patches", &patches, &exact, storage.gate())?;
    let back = Array::poisoned(Storage::F32, shape.total());
    done(patchify::cuda::unpatchify(queue, storage, shape, (patches.address(), back.address()), (pitch, 0.5)))?;
    compare("pixels", &back, &pixels.values().iter().map(|value| 0.5 * value).collect::<Vec<_>>(), storage.gate())
}

#[test]
fn tokens_and_patches_of_every_shape() {
    let shape = |images, channels, rows, cols, size| patchify::Shape { images, channels, rows, cols, size };
    for schedule in Schedule::ALL {
        let Some(queue) = Emulated::new(schedule) else { return };
        for storage in Storage::ALL {
            for shape in SHAPES {
                let what = |error| panic!("{schedule:?}, {storage:?}, {shape:?}: {error}");
                joined_and_cut(&queue, storage, shape).and_then(|()| pooled(&queue, storage, shape)).unwrap_or_else(what);
            }
            for (shape, pitch) in [(shape(2, 3, 2, 3, 4), 48), (shape(1, 3, 3, 2, 14), 592), (shape(2, 1, 1, 2, 5), 32)] {
                patched(&queue, storage, shape, pitch).unwrap_or_else(|error| panic!("{storage:?}, {shape:?}: {error}"));
            }
        }
    }
}
