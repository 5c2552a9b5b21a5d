//! The emulator's products of warpgroups themselves, against products by their definition: a misreading here would hide one in a kernel.

use std::ffi::c_void;

use kernels::check::seeded;

use crate::emulator::{Launched, Library, Schedule};
use crate::memory::{Array, Gate, Storage, compare};
use crate::mutants::under_all_schedules;

/// Tiles as kernels have them: 64 rows and COLUMNS columns, 64 deep, in every combination of where and which way round they lie.
const TILES: &str = r#"
#include "../../cuda/hopper.cuh"
enum Broken { NOTHING, COPIES, PROXY, BARRIER, REGISTERS, WAIT, COMMIT, GROUP, SUMS, LEFT, FILLED, WARPS, EXCHANGE, PLACE, KINDS };
struct Probe { const storage *left, *right; float* sums; int broken; };
template <int COLUMNS, bool TURNED, bool IN_REGISTERS>
DEVICE void probe(const Probe& a) {
    typedef Swizzled<64, 64> Left;
    typedef Swizzled<TURNED ? 64 : COLUMNS, TURNED ? COLUMNS : 64> Right;
    DYNAMIC_SHARED(memory);
    storage *const left = a.broken == PLACE ? (storage*)memory : aligned(memory), *const right = left + Left::SIZE;
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, row = warp * 16 + lane / 4;
    Left::fetch(left, a.left, 64, 64, 64, 128);
    Right::fetch(right, a.right, TURNED ? COLUMNS : 64, TURNED ? 64 : COLUMNS, TURNED ? COLUMNS : 64, 128);
    commit_copies();
    float sums[COLUMNS / 2];
    u32 rows[4][4];
    for (int k = 0; k < 4; k++)
        for (int i = 0; i < 4; i++)
            memcpy(&rows[k][i], a.left + (row + i % 2 * 8) * 64 + 16 * k + i / 2 * 8 + lane % 4 * 2, 4);
    if (a.broken != COPIES) wait_for_copies<0>();
    if (a.broken != PROXY) fence_copies();
    if (a.broken != BARRIER) __syncthreads();
    if (a.broken != REGISTERS) fence_registers();
    for (int k = 0; k < 4; k++) {
        const u64 columns = TURNED ? Right::turned(right, 16 * k) : Right::lines(right, 0, 16 * k);
        const u64 of_left = Left::lines(left, 0, a.broken == WARPS ? 16 * (k + warp) % 64 : 16 * k);
        if (IN_REGISTERS) Instruction<COLUMNS, storage, TURNED>::of_registers(sums, rows[k], columns, k > 0);
        else Instruction<COLUMNS, storage, TURNED>::of_shared(sums, a.broken == EXCHANGE ? of_left << 2 >> 2 : of_left, columns, k > 0);
    }
    if (a.broken == SUMS) sums[0] = 1.0f;
    if (a.broken == LEFT) rows[3][0]++;
    if (a.broken != COMMIT) commit_products();
    if (a.broken == FILLED) Left::fetch(left, a.left, 0, 64, 64, 128), commit_copies(), wait_for_copies<0>(), fence_copies();
    if (a.broken == GROUP) wait_for_products<1>();
    else if (a.broken != WAIT) wait_for_products<0>();
    for (int i = 0; i < COLUMNS / 2; i++)
        a.sums[(row + i / 2 % 2 * 8) * COLUMNS + i / 4 * 8 + lane % 4 * 2 + i % 2] = sums[i];
    wait_for_copies<0>();
}
#define PROBES(columns)                                                                  \
    KERNEL(128, straight_##columns, Probe) { probe<columns, false, false>(a); }          \
    KERNEL(128, turned_##columns, Probe) { probe<columns, true, false>(a); }             \
    KERNEL(128, straight_registers_##columns, Probe) { probe<columns, false, true>(a); } \
    KERNEL(128, turned_registers_##columns, Probe) { probe<columns, true, true>(a); }
PROBES(32)
PROBES(64)
PROBES(80)
PROBES(128)
PROBES(256)
"#;

/// Where and how the factors lie.
const KERNELS: [&str; 4] = ["straight", "turned", "straight_registers", "turned_registers"];

/// What the order forbids, by the numbers of `Broken`, and the kernel that does it.
const BROKEN: [(i32, &str, &str); 13] = [
    (1, "straight", "copies are not waited for"),
    (2, "straight", "products do not see copies"),
    (3, "straight", "copies of others have not landed"),
    (4, "straight", "registers are not ordered"),
    (5, "straight", "nothing is waited for"),
    (6, "straight", "nothing is committed"),
    (7, "straight", "one group too few is waited for"),
    (8, "straight", "sums are touched"),
    (9, "straight_registers", "a left factor changes"),
    (10, "straight", "a stage is filled while it is read"),
    (11, "straight", "warps ask for different products"),
    (12, "straight", "the exchange of packs is not told"),
    (13, "straight", "a tile begins anywhere"),
];

#[repr(C)]
struct Probe {
    left: *const c_void,
    right: *const c_void,
    sums: *mut c_void,
    broken: i32,
}

fn probe(library: &Library, storage: Storage, (kernel, broken): (&str, i32), columns: usize, schedule: Schedule) -> Result<(), String> {
    let (left, right) = (Array::new(storage, &seeded(1, 64 * 64)), Array::new(storage, &seeded(2, 64 * columns)));
    let (rows, values, sums) = (left.values(), right.values(), Array::poisoned(Storage::F32, 64 * columns));
    let of_right = |k: usize, j: usize| if kernel.starts_with("turned") { values[k * columns + j] } else { values[j * 64 + k] };
    let exact: Vec<f64> =
        (0..64 * columns).map(|at| (0..64).map(|k| rows[at / columns * 64 + k] * of_right(k, at % columns)).sum()).collect();
    let arguments = Probe { left: left.at(), right: right.at(), sums: sums.at(), broken };
    let how = Launched { grid: [1, 1, 1], threads: 128, shared: (64 + columns) * 128 + 1024 };
    library.run(&format!("{kernel}_{columns}"), how, &arguments, schedule)?;
    compare(kernel, &sums, &exact, Storage::F32.gate())
}

#[test]
fn tiles_multiply_and_what_the_order_forbids_is_caught() {
    for storage in [Storage::Bf16, Storage::F16] {
        let Some(library) = Library::compile("linear/cuda_hopper.cu", TILES, storage) else { return };
        for (columns, kernel) in [32, 64, 80, 128, 256].into_iter().flat_map(|columns| KERNELS.map(|kernel| (columns, kernel))) {
            under_all_schedules(|schedule| probe(&library, storage, (kernel, 0), columns, schedule))
                .unwrap_or_else(|error| panic!("{storage:?}, {kernel}, {columns}: {error}"));
        }
        for (broken, kernel, what) in BROKEN {
            let caught = under_all_schedules(|schedule| probe(&library, storage, (kernel, broken), 64, schedule));
            println!("{what}: {}", caught.as_ref().err().map_or("NOT CAUGHT", String::as_str));
            assert!(caught.is_err(), "\"{what}\" passes");
        }
    }
}
