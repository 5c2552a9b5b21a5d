//! Blocks take no memory of their own: what a pass takes from the system does not grow with the model's depth.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use ndarray::Array4;
use xai::{Batch, HeadFusion, HeadKind, Probe, Vit, VitConfig};

struct Counting;

static TAKEN: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        TAKEN.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Bytes that a pass takes once its arena has grown.
fn taken(layers: usize, probe: Probe) -> usize {
    let config = VitConfig { num_hidden_layers: layers, ..VitConfig::vit_tiny_patch16_224() };
    let vit = Vit::random(config, HeadKind::Linear(7), 1).unwrap();
    let batch = Batch::new(Array4::zeros((1, 3, 224, 224))).unwrap();
    (0..3).for_each(|_| drop(vit.trace(&batch, probe).unwrap()));
    let before = TAKEN.load(Ordering::Relaxed);
    drop(vit.trace(&batch, probe).unwrap());
    TAKEN.load(Ordering::Relaxed) - before
}

/// One test, so that nothing else is counted.
#[test]
fn depth_costs_nothing_but_what_is_asked_for() {
    const SLACK: usize = 4096; // Lists of empty tapes, and what the thread pool may take.
    let per_layer = |probe| taken(6, probe).saturating_sub(taken(2, probe)) / 4;
    let (plain, fused, gradients) = (per_layer(Probe::Logits), per_layer(Probe::Fused(HeadFusion::Mean)), per_layer(Probe::Gradients));
    println!("bytes a layer: {plain} for logits, {fused} with fused maps, {gradients} for gradients");
    assert!(plain <= SLACK, "{plain} bytes a layer");
    let map = 4 * 197 * 197;
    assert!((map..=map + SLACK).contains(&fused), "a fused map takes {map} bytes, a layer took {fused}");
    assert!(gradients <= SLACK, "tapes are used again, but a layer took {gradients} bytes");
}
