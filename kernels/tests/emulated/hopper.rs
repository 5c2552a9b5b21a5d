//! The emulator's products of warpgroups themselves, against products by their definition: a misreading here would hide one in a kernel.

use std::ffi::c_void;

use kernels::check::seeded;

use crate::emulator::{Launched, Library, Schedule};
use crate::memory::{Array, Gate, Storage, compare};
use crate::mutants::under_all_schedules;

/// Tiles as kernels have them: 64 rows and COLUMNS columns, 64 deep, in every combination of where and which way round they lie.
const TILES: &str = r#"
#include "../../cuda/hopper.cuh"
struct Probe { const storage *left, *right; float* sums; };
template <int COLUMNS, bool TURNED, bool REGISTERS>
DEVICE void probe(const Probe& a) {
    typedef Swizzled<64, 64> Left;
    typedef Swizzled<TURNED ? 64 : COLUMNS, TURNED ? COLUMNS : 64> Right;
    DYNAMIC_SHARED(memory);
    storage *const left = aligned(memory), *const right = left + Left::SIZE;
    const int lane = threadIdx.x % 32, row = threadIdx.x / 32 * 16 + lane / 4;
    Left::fetch(left, a.left, 64, 64, 64, 128);
    Right::fetch(right, a.right, TURNED ? COLUMNS : 64, TURNED ? 64 : COLUMNS, TURNED ? COLUMNS : 64, 128);
    commit_copies();
    float sums[COLUMNS / 2];
    u32 rows[4][4];
    for (int k = 0; k < 4; k++)
        for (int i = 0; i < 4; i++)
            memcpy(&rows[k][i], a.left + (row + i % 2 * 8) * 64 + 16 * k + i / 2 * 8 + lane % 4 * 2, 4);
    wait_for_copies<0>();
    fence_copies();
    __syncthreads();
    fence_registers();
    for (int k = 0; k < 4; k++) {
        const u64 columns = TURNED ? Right::turned(right, 16 * k) : Right::lines(right, 0, 16 * k);
        if (REGISTERS) Instruction<COLUMNS, storage, TURNED>::of_registers(sums, rows[k], columns, k > 0);
        else Instruction<COLUMNS, storage, TURNED>::of_shared(sums, Left::lines(left, 0, 16 * k), columns, k > 0);
    }
    commit_products();
    wait_for_products<0>();
    for (int i = 0; i < COLUMNS / 2; i++)
        a.sums[(row + i / 2 % 2 * 8) * COLUMNS + i / 4 * 8 + lane % 4 * 2 + i % 2] = sums[i];
}
#define PROBES(columns)                                                             \
    KERNEL(128, straight_##columns, Probe) { probe<columns, false, false>(a); }     \
    KERNEL(128, turned_##columns, Probe) { probe<columns, true, false>(a); }        \
    KERNEL(128, straight_registers_##columns, Probe) { probe<columns, false, true>(a); } \
    KERNEL(128, turned_registers_##columns, Probe) { probe<columns, true, true>(a); }
PROBES(64)
"#;
const MORE: &str = "PROBES(32)\nPROBES(80)\nPROBES(128)\nPROBES(256)\n";

#[repr(C)]
struct Probe {
    left: *const c_void,
    right: *const c_void,
    sums: *mut c_void,
}

fn probe(library: &Library, storage: Storage, kernel: &str, columns: usize, schedule: Schedule) -> Result<(), String> {
    let (left, right) = (Array::new(storage, &seeded(1, 64 * 64)), Array::new(storage, &seeded(2, 64 * columns)));
    let (rows, values, sums) = (left.values(), right.values(), Array::poisoned(Storage::F32, 64 * columns));
    let of_right = |k: usize, j: usize| if kernel.starts_with("turned") { values[k * columns + j] } else { values[j * 64 + k] };
    let exact: Vec<f64> =
        (0..64 * columns).map(|at| (0..64).map(|k| rows[at / columns * 64 + k] * of_right(k, at % columns)).sum()).collect();
    let arguments = Probe { left: left.at(), right: right.at(), sums: sums.at() };
    let how = Launched { grid: [1, 1, 1], threads: 128, shared: (64 + columns) * 128 + 1024 };
    library.run(&format!("{kernel}_{columns}"), how, &arguments, schedule)?;
    compare(kernel, &sums, &exact, Storage::F32.gate())
}

#[test]
fn tiles_multiply() {
    for storage in [Storage::Bf16, Storage::F16] {
        let Some(library) = Library::compile("linear/cuda_hopper.cu", &format!("{TILES}{MORE}"), storage) else { return };
        for columns in [32, 64, 80, 128, 256] {
            for kernel in ["straight", "turned", "straight_registers", "turned_registers"] {
                under_all_schedules(|schedule| probe(&library, storage, kernel, columns, schedule))
                    .unwrap_or_else(|error| panic!("{storage:?}, {kernel}, {columns}: {error}"));
            }
        }
    }
}

#[test]
fn what_the_order_forbids_is_caught() {
    let broken = [
        ("copies are not waited for", "wait_for_copies<0>();", "wait_for_copies<1>();"),
        ("products do not see copies", "    fence_copies();\n", ""),
        ("copies of others have not landed", "    __syncthreads();\n", ""),
        ("registers are not ordered", "    fence_registers();\n", ""),
        ("sums are read too early", "    wait_for_products<0>();\n", ""),
        ("nothing is committed", "    commit_products();\n", ""),
        ("one group too few is waited for", "wait_for_products<0>();", "wait_for_products<1>();"),
        ("sums are touched", "    commit_products();", "    sums[0] = 1.0f;\n    commit_products();"),
        ("a left factor changes", "    commit_products();", "    rows[3][0]++;\n    commit_products();"),
        (
            "a stage is filled while it is read",
            "    commit_products();",
            "    commit_products();\n    Left::fetch(left, a.left, 0, 64, 64, 128);\n    commit_copies();\n    wait_for_copies<0>();\n    fence_copies();",
        ),
        ("warps ask for different products", "Left::lines(left, 0, 16 * k)", "Left::lines(left, 0, 16 * (k + threadIdx.x / 32) % 64)"),
        ("the exchange of packs is not told", "Left::lines(left, 0, 16 * k), columns", "Left::lines(left, 0, 16 * k) << 2 >> 2, columns"),
        ("a tile begins anywhere", "aligned(memory), ", "(storage*)memory, "),
    ];
    let storage = Storage::Bf16;
    for (what, from, to) in broken {
        assert_eq!(TILES.matches(from).count(), 1, "`{from}` of \"{what}\" does not stand there once");
        let Some(library) = Library::compile("linear/cuda_hopper.cu", &TILES.replace(from, to), storage) else { return };
        let case = |schedule| {
            probe(&library, storage, "straight", 64, schedule)?;
            probe(&library, storage, "straight_registers", 64, schedule)
        };
        let caught = under_all_schedules(case);
        println!("{what}: {}", caught.as_ref().err().map_or("NOT CAUGHT", String::as_str));
        assert!(caught.is_err(), "\"{what}\" passes");
    }
}
