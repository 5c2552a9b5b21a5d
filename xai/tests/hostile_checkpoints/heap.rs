//! How much memory a call takes at most: an allocator that counts.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static COUNTING: Counting = Counting;

// SAFETY: every call goes to the system's allocator with the arguments it came with; only numbers are kept beside it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD.fetch_add(layout.size(), Relaxed) + layout.size();
        MOST.fetch_max(held, Relaxed);
        // SAFETY: the caller keeps the rules of this function, which are the system allocator's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the pointer came from the system's allocator by this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// What a call gives, and the most bytes that were held on the way beyond those held before.
pub fn most<T>(call: impl FnOnce() -> T) -> (T, usize) {
    let before = HELD.load(Relaxed);
    MOST.store(before, Relaxed);
    let given = call();
    (given, MOST.load(Relaxed).saturating_sub(before))
}

#[test]
fn what_is_held_is_counted() {
    let (length, held) = most(|| std::hint::black_box(vec![1_u8; 10_000_000]).len());
    assert_eq!(length, 10_000_000);
    assert!(held >= 10_000_000, "{held}");
}
