//! Maps on the way, on a branch and behind it, and what happens where a branch is not joined.

use std::sync::Arc;

use kernels::attention::HeadFusion;
use kernels::attention::cuda::{Chip, MapLaunch};
use kernels::cuda::Storage;

use super::emulator::Schedule;
use super::queue::Emulated;
use super::{CLASSES, lively, off, pictures, vit, wide};
use crate::vit::arena::Arena;
use crate::vit::config::VitConfig;
use crate::vit::cuda::{Engine, Passed, Pictures};
use crate::vit::embedding::Pixels;
use crate::vit::forward::{self, Keep};
use crate::vit::head::HeadKind;
use crate::vit::weights::Weights;

const IMAGES: usize = 2;
const HEAD: HeadKind = HeadKind::Linear(CLASSES);

/// 50 tokens.
fn config() -> VitConfig {
    VitConfig { image_size: (28, 28), ..vit() }
}

/// Maps of both blocks as the CPU makes them in `f64`.
fn exact(fusion: HeadFusion) -> Vec<Vec<f64>> {
    let (config, weights) = (config(), lively(&config(), HEAD));
    let mut wide_weights = Weights::<f64>::zeros(&config, HEAD);
    for ((_, mut to), (_, from)) in wide_weights.named_mut().into_iter().zip(weights.named()) {
        to.fill(wide(&from.to_rows()));
    }
    let data: Vec<f64> = pictures(&config, IMAGES).pixels().iter().map(|&value| f64::from(value)).collect();
    let pixels = Pixels { data: &data, images: IMAGES, patches: config.patches() };
    forward::run(&config, &wide_weights, &pixels, Keep::Fused(fusion), &mut Arena::default()).unwrap().fused
}

/// How far a device's maps are from those, after passes that ran launch by launch, were recorded, and were replayed.
fn maps_are_off(queue: &Arc<Emulated>, storage: Storage, fusion: HeadFusion, passes: usize) -> f64 {
    let (config, weights) = (config(), lively(&config(), HEAD));
    let engine = Arc::new(Engine::on(queue.clone(), storage, &config, &weights).unwrap());
    let batch = pictures(&config, IMAGES);
    let pictures = Pictures::of(&batch, config.patches());
    let pass = || {
        let passed = Passed::run(&engine, &config, &weights, pictures, Keep::Fused(fusion)).unwrap();
        (0..2).flat_map(|layer| wide(&passed.fused_map(layer, fusion).unwrap())).collect::<Vec<_>>()
    };
    let first = pass();
    for _ in 1..passes {
        assert_eq!(pass(), first, "the same bits");
    }
    off(first, exact(fusion).concat())
}

/// What a device does for maps of so many images of these pictures.
fn launch(queue: &Emulated, storage: Storage) -> MapLaunch {
    let shape = kernels::attention::Shape { images: IMAGES, tokens: 50, heads: 2, head_width: 32 };
    MapLaunch::of(Chip::of(queue), storage, shape)
}

#[test]
fn maps_are_the_same_wherever_they_are_made() {
    // A branch's work goes first in the one, and as late as it may in the other.
    for schedule in [Schedule::Forward, Schedule::Backward] {
        let Some(device) = Emulated::new(schedule).map(|device| device.of_multiprocessors(1)) else { return };
        let mut launches = Vec::new();
        let many = Emulated::new(schedule).unwrap().of_multiprocessors(9);
        let old = Emulated::new(schedule).unwrap().of_multiprocessors(1).of_capability(75);
        for (device, expected) in [(device, MapLaunch::Fused { queries: 64 }), (many, MapLaunch::Branch), (old, MapLaunch::Apart)] {
            let queue = Arc::new(device);
            assert_eq!(launch(&queue, Storage::F32), expected);
            for (fusion, passes) in [(HeadFusion::Mean, 3), (HeadFusion::Max, 1), (HeadFusion::Min, 1)] {
                let off = maps_are_off(&queue, Storage::F32, fusion, passes);
                assert!(off <= 1e-5, "{schedule:?}, {expected:?}, {fusion:?}: maps are off by {off:e}");
            }
            launches.push(queue.launches());
        }
        assert_eq!((launches[1], launches[2]), (launches[0] + (3 + 1 + 1) * 2, launches[1]), "a launch less for each map on the way");
    }
}

#[test]
fn maps_on_the_way_in_16_bits() {
    let Some(device) = Emulated::new(Schedule::Shuffled) else { return };
    let queue = Arc::new(device.of_multiprocessors(1));
    for fusion in [HeadFusion::Mean, HeadFusion::Max, HeadFusion::Min] {
        let off = maps_are_off(&queue, Storage::Bf16, fusion, 2);
        assert!(off <= 2e-2, "{fusion:?}: maps are off by {off:e}");
    }
}

#[test]
fn a_join_that_is_missing_shows() {
    let late = || Emulated::new(Schedule::Backward).map(|device| device.of_multiprocessors(9));
    let Some(device) = late() else { return };
    assert!(maps_are_off(&Arc::new(device), Storage::F32, HeadFusion::Mean, 1) <= 1e-5);
    // Joins stand before each block's product of queries, keys and values, and at the end. Without the second, the first map is made of
    // what the second block wrote; without the last, the last map is not there.
    for joins in [2, 3] {
        let off = maps_are_off(&Arc::new(late().unwrap().without_joins(joins)), Storage::F32, HeadFusion::Mean, 1);
        let is_right = off <= 1e-3;
        assert!(!is_right, "without the first {joins} joins maps are off by {off:e}");
    }
}
