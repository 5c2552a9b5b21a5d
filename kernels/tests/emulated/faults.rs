//! What the emulator notices: kernels that are wrong in ways that a result need not show.

use std::ffi::c_void;

use crate::emulator::{Launched, Library, Schedule};
use crate::memory::{Array, Storage};

#[repr(C)]
struct Arguments {
    out: *mut c_void,
}

const KERNELS: &str = r#"
#include "../cuda/tensor.cuh"
struct Arguments { float* out; };

KERNEL(64, half_a_barrier, Arguments) {
    if (threadIdx.x < 40) __syncthreads();
    __syncwarp();
}
KERNEL(64, two_barriers, Arguments) {
    if (threadIdx.x < 32) {
        __syncthreads();
    } else {
        __syncthreads();
    }
}
KERNEL(32, a_lane_is_missing, Arguments) { if (threadIdx.x < 31) __syncwarp(); }
KERNEL(32, beyond_shared_memory, Arguments) {
    SHARED(float, few, 4);
    few[threadIdx.x % 5] = 1.0f;
}
KERNEL(32, too_much_shared_memory, Arguments) {
    SHARED(float, many, 60000);
    many[0] = 1.0f;
}
KERNEL(32, an_unaligned_copy, Arguments) {
    SHARED(float, some, 8);
    copy_async(some + 1, a.out, true);
    wait_for_copies<0>();
}
KERNEL(32, a_copy_is_left, Arguments) {
    SHARED(float, some, 8);
    copy_async(some, a.out, true);
    commit_copies();
}
KERNEL(32, unwritten_shared_memory, Arguments) {
    SHARED(float, some, 32);
    a.out[threadIdx.x] = some[threadIdx.x];
}
KERNEL(64, whole, Arguments) {
    const u32 even = __ballot_sync(ALL, threadIdx.x % 2 == 0);
    if (threadIdx.x == 0) a.out[0] = even == 0x55555555u ? 0.0f : -1e6f;
    __syncthreads();
    atomicAdd(a.out, float(threadIdx.x));
}
"#;

fn run(library: &Library, name: &str, threads: usize, schedule: Schedule) -> (Result<(), String>, Vec<f64>) {
    let out = Array::poisoned(Storage::F32, 64);
    let outcome = library.run(name, Launched::new([1, 1, 1], threads), &Arguments { out: out.at() }, schedule);
    (outcome, out.read().expect("no fence is written"))
}

#[test]
fn faults_are_named() {
    let Some(library) = Library::compile("faults.cu", KERNELS, Storage::F32) else { return };
    let faults = [
        ("half_a_barrier", 64, "deadlock"),
        ("two_barriers", 64, "wait in lines"),
        ("a_lane_is_missing", 32, "deadlock: 31 threads"),
        ("beyond_shared_memory", 32, "written beyond 16 bytes"),
        ("too_much_shared_memory", 32, "more than 233472 bytes"),
        ("an_unaligned_copy", 32, "not aligned to 16 bytes"),
        ("a_copy_is_left", 32, "before its asynchronous copies"),
        ("whole", 33, "whole warps"),
    ];
    for (name, threads, message) in faults {
        for schedule in Schedule::ALL {
            let error = run(&library, name, threads, schedule).0.expect_err(name);
            assert!(error.contains(message), "{name}, {schedule:?}: {error}");
        }
    }
}

#[test]
fn shared_memory_is_poisoned_and_a_right_kernel_passes() {
    let Some(library) = Library::compile("faults.cu", KERNELS, Storage::F32) else { return };
    for schedule in Schedule::ALL {
        let (outcome, out) = run(&library, "unwritten_shared_memory", 32, schedule);
        assert!(outcome.is_ok() && out.iter().all(|value| value.is_nan()));
        let (outcome, out) = run(&library, "whole", 64, schedule);
        assert_eq!((outcome, out[0]), (Ok(()), 2016.0));
    }
}
