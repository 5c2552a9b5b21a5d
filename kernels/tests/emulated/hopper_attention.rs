//! Attention forward by warpgroups.

use kernels::Workspace;
use kernels::attention::cuda::AttentionForward;
use kernels::attention::hopper::{forward, launch, warpgroups};
use kernels::attention::{self, Shape};
use kernels::cuda::Queue;
use kernels::cuda::proof::Verdict;
use kernels::cuda::proof::warpgroups::attention as agrees;

use crate::SIZES;
use crate::attention::{inputs, scale};
use crate::emulator::{Library, Schedule, source};
use crate::memory::{Array, Gate, Storage, compare};
use crate::mutants::{Mutant, assert_caught_on};
use crate::queue::Emulated;

const FILE: &str = "attention/cuda_hopper.cu";
const STORAGES: [Storage; 2] = [Storage::Bf16, Storage::F16];

/// With so many warpgroups in a block, or as many as are chosen.
fn run(queue: &dyn Queue, storage: Storage, shape: Shape, groups: Option<usize>) -> Result<(), String> {
    let qkv = inputs(shape, storage);
    let (context, log_sum_exp) = (Array::poisoned(storage, shape.context_len()), Array::poisoned(Storage::F32, shape.log_sum_exp_len()));
    let (mut exact, mut exact_sums) = (vec![0.0; shape.context_len()], vec![0.0; shape.log_sum_exp_len()]);
    attention::forward(shape, &qkv.values(), &mut exact, &mut exact_sums, None, &mut Workspace::default()).expect("the shapes fit");
    let (tokens, heads) = (shape.tokens as i32, shape.heads as i32);
    let arguments = AttentionForward {
        qkv: qkv.address(),
        context: context.address(),
        log_sum_exp: log_sum_exp.address(),
        tokens,
        heads,
        scale: scale(shape),
    };
    let started = match groups {
        Some(groups) => launch(queue, storage, shape, groups, arguments),
        None => forward(queue, storage, shape, arguments),
    };
    if !started.map_err(|fault| fault.to_string())? {
        return Err("this is not the way for it".into());
    }
    compare("log_sum_exp", &log_sum_exp, &exact_sums, Storage::F32.gate())?;
    compare("context", &context, &exact, storage.gate())
}

/// Every count of tokens at heads of 64 values, and all other widths at ragged ones, with one to three warpgroups.
fn cases(storage: Storage, schedule: Schedule) -> Vec<(Shape, Option<usize>)> {
    let few = storage == Storage::F16 || !matches!(schedule, Schedule::Backward);
    let counts = SIZES.into_iter().filter(|tokens| !few || [65, 145].contains(tokens));
    let of_64 =
        counts.map(|tokens| (Shape { images: 1, tokens, heads: if tokens > 100 { 1 } else { 3 }, head_width: 64 }, Some(1 + tokens % 3)));
    let others = [(32, 1), (80, 2), (128, 3)];
    let others = others.map(|(head_width, groups)| (Shape { images: 2, tokens: 90, heads: 2, head_width }, Some(groups)));
    of_64.chain(others).collect()
}

#[test]
fn tokens_of_every_count() {
    for schedule in Schedule::ALL {
        let Some(queue) = Emulated::new(schedule) else { return };
        for storage in STORAGES {
            for (shape, groups) in cases(storage, schedule) {
                run(&queue, storage, shape, groups)
                    .unwrap_or_else(|error| panic!("{schedule:?}, {storage:?}, {shape:?}, {groups:?}: {error}"));
            }
        }
    }
}

#[test]
fn warpgroups_share_what_they_read_where_the_device_is_full() {
    let Some(queue) = Emulated::new(Schedule::Forward) else { return };
    let shape = |images, tokens| Shape { images, tokens, heads: 2, head_width: 64 };
    let groups = |images, tokens| warpgroups(&queue, Storage::Bf16, shape(images, tokens));
    assert_eq!(groups(4, 145), Some(3), "three times 64 are just enough");
    assert_eq!(groups(4, 577), Some(2), "ten warpgroups are five blocks");
    assert_eq!(groups(1, 145), Some(1), "a picture alone: two heads of three blocks do not fill eight multiprocessors");
    assert_eq!((groups(4, 64), groups(4, 63)), (Some(1), None));
    run(&queue, Storage::Bf16, shape(4, 70), None).expect("the kernel is right");
    assert!(run(&queue, Storage::Bf16, shape(4, 17), None).is_err());
    assert_eq!(warpgroups(&queue, Storage::F32, shape(4, 145)), None);
    assert_eq!(warpgroups(&queue, Storage::Bf16, Shape { head_width: 48, ..shape(4, 145) }), None);
    let other = queue.of_capability(100);
    assert_eq!(warpgroups(&other, Storage::Bf16, shape(4, 145)), None);
    assert_eq!(agrees(&other, Storage::Bf16, 64), Ok(Verdict::Declines));
}

#[test]
fn the_proof_passes_what_is_right_and_refuses_what_is_wrong() {
    let Some(queue) = Emulated::new(Schedule::Shuffled) else { return };
    for (storage, head_width) in [(Storage::Bf16, 64), (Storage::F16, 80)] {
        assert_eq!(agrees(&queue, storage, head_width), Ok(Verdict::Agrees(3)), "{storage:?}, {head_width}");
    }
    let declines = Ok(Verdict::Declines);
    assert_eq!((agrees(&queue, Storage::F32, 64), agrees(&queue, Storage::Bf16, 48)), (declines.clone(), declines));
    assert_eq!(queue.given_out(), 0, "what a proof took it gives back");
    let swapped = source(FILE).replace("Keys::turned(values, 16 * i)", "Keys::turned(values, 64 - 16 * i)");
    queue.replace(FILE, Storage::Bf16, Library::compile(FILE, &swapped, Storage::Bf16).expect("there is a compiler"));
    assert!(matches!(agrees(&queue, Storage::Bf16, 64), Ok(Verdict::Disagrees(_))));
}

#[test]
fn mutants_are_caught() {
    let landed = "__syncthreads();  // this tile has landed, and all are done with the one before";
    let done = "__syncthreads();  // all are done with the last tile: its memory is free";
    let mutants = [
        Mutant { what: "nobody waits for a tile", from: landed, to: "" },
        Mutant { what: "rows overwrite the last tile", from: done, to: "" },
        Mutant { what: "copies are not waited for", from: "            wait_for_copies<0>();\n", to: "" },
        Mutant { what: "products do not see copies", from: "fence_copies();", to: "" },
        Mutant { what: "a tile is filled while it is read", from: "            fetch(tile + 1);\n", to: "            fetch(tile + 2);\n" },
        Mutant {
            what: "scores are used before they are there",
            from: "wait_for_products<0>();\n        settle<KEYS / 2>",
            to: "settle<KEYS / 2>",
        },
        Mutant {
            what: "the exchange of packs is not told",
            from: "Keys::lines(keys, 0, k), k > 0)",
            to: "Keys::lines(keys, 0, k) << 2 >> 2, k > 0)",
        },
        Mutant {
            what: "stages are swapped",
            from: "const storage* const keys = stages + tile % 2",
            to: "const storage* const keys = stages + (tile + 1) % 2",
        },
        Mutant { what: "one key too many", from: "a.tokens - tile * KEYS, scores)", to: "a.tokens - tile * KEYS + 1, scores)" },
    ];
    let shape = Shape { images: 1, tokens: 197, heads: 2, head_width: 64 };
    assert_caught_on(FILE, Storage::Bf16, &mutants, |queue| run(queue, Storage::Bf16, shape, Some(2)));
}
