//! Descriptors of shared memory against layouts that are written out value by value, as the examples of the PTX ISA are: shapes and
//! strides of the right factor, and the exchange of address bits. The emulator reads a descriptor by the general rule instead.

use std::ffi::c_void;

use kernels::check::seeded;
use kernels::cuda::{decode, encode};

use crate::emulator::{Launched, Library};
use crate::memory::{Array, Gate, Storage, compare};
use crate::mutants::under_all_schedules;

/// Copies an image of shared memory and multiplies by what a descriptor finds in it; the left factor comes from registers.
const IMAGE: &str = r#"
#include "../../cuda/hopper.cuh"
struct Image { const storage *left, *image; float* sums; u64 descriptor; };
template <int COLUMNS, bool TURNED>
DEVICE void multiply(const Image& a) {
    DYNAMIC_SHARED(memory);
    storage* const image = aligned(memory);
    const int lane = threadIdx.x % 32, row = threadIdx.x / 32 * 16 + lane / 4;
    for (int i = threadIdx.x * 8; i < 4096; i += 1024) copy_async(image + i, a.image + i, true);
    commit_copies();
    float sums[COLUMNS / 2];
    u32 rows[4];
    for (int i = 0; i < 4; i++) memcpy(&rows[i], a.left + (row + i % 2 * 8) * 16 + i / 2 * 8 + lane % 4 * 2, 4);
    wait_for_copies<0>();
    fence_copies();
    __syncthreads();
    fence_registers();
    Instruction<COLUMNS, storage, TURNED>::of_registers(sums, rows, a.descriptor + (shared_address(image) >> 4), false);
    commit_products();
    wait_for_products<0>();
    for (int i = 0; i < COLUMNS / 2; i++)
        a.sums[(row + i / 2 % 2 * 8) * COLUMNS + i / 4 * 8 + lane % 4 * 2 + i % 2] = sums[i];
}
#define SIZE(columns)                                                   \
    KERNEL(128, straight_##columns, Image) { multiply<columns, false>(a); } \
    KERNEL(128, turned_##columns, Image) { multiply<columns, true>(a); }
SIZE(16)
SIZE(32)
SIZE(64)
SIZE(128)
"#;

#[repr(C)]
struct Image {
    left: *const c_void,
    image: *const c_void,
    sums: *mut c_void,
    descriptor: u64,
}

/// How the right factor, (columns, 16), lies in memory: extents and strides of a column's and of a depth's digits, the fastest first.
struct Layout {
    turned: bool,
    columns: &'static [(usize, usize)],
    depth: &'static [(usize, usize)],
    /// Address bits that are exchanged, and what the descriptor calls that.
    exchanged: usize,
    mode: u64,
    /// In bytes.
    leading: u64,
    stride: u64,
}

const LAYOUTS: [Layout; 8] = [
    Layout {
        turned: true,
        columns: &[(8, 1), (1, 8), (2, 64)],
        depth: &[(8, 8), (2, 128)],
        exchanged: 0,
        mode: 0,
        leading: 256,
        stride: 128,
    },
    Layout {
        turned: true,
        columns: &[(8, 1), (2, 8), (2, 128)],
        depth: &[(8, 16), (2, 256)],
        exchanged: 1,
        mode: 3,
        leading: 256,
        stride: 512,
    },
    Layout {
        turned: true,
        columns: &[(8, 1), (4, 8), (2, 256)],
        depth: &[(8, 32), (2, 512)],
        exchanged: 2,
        mode: 2,
        leading: 512,
        stride: 1024,
    },
    Layout {
        turned: true,
        columns: &[(8, 1), (8, 8), (2, 512)],
        depth: &[(8, 64), (2, 1024)],
        exchanged: 3,
        mode: 1,
        leading: 1024,
        stride: 2048,
    },
    Layout { turned: false, columns: &[(8, 8), (2, 64)], depth: &[(8, 1), (2, 128)], exchanged: 0, mode: 0, leading: 256, stride: 128 },
    Layout { turned: false, columns: &[(8, 16), (2, 128)], depth: &[(8, 1), (2, 8)], exchanged: 1, mode: 3, leading: 16, stride: 256 },
    Layout { turned: false, columns: &[(8, 32), (2, 256)], depth: &[(8, 1), (2, 8)], exchanged: 2, mode: 2, leading: 16, stride: 512 },
    Layout { turned: false, columns: &[(8, 64), (2, 512)], depth: &[(8, 1), (2, 8)], exchanged: 3, mode: 1, leading: 16, stride: 1024 },
];

/// Where a number's digits lead.
fn place(digits: &[(usize, usize)], mut number: usize) -> usize {
    let mut at = 0;
    for (extent, stride) in digits {
        at += number % extent * stride;
        number /= extent;
    }
    at
}

impl Layout {
    fn count(&self) -> usize {
        self.columns.iter().map(|(extent, _)| extent).product()
    }

    /// Which value of the image a column has at a depth.
    fn at(&self, column: usize, k: usize) -> usize {
        let byte = 2 * (place(self.columns, column) + place(self.depth, k));
        let bits = byte >> 7 & ((1 << self.exchanged) - 1);
        (byte ^ bits << 4) / 2
    }

    fn descriptor(&self) -> u64 {
        self.leading >> 4 << 16 | self.stride >> 4 << 32 | self.mode << 62
    }
}

#[test]
fn descriptors_find_what_layouts_say() {
    let storage = Storage::Bf16;
    let Some(library) = Library::compile("linear/cuda_hopper.cu", IMAGE, storage) else { return };
    let left = Array::new(storage, &seeded(1, 64 * 16));
    for (index, layout) in LAYOUTS.iter().enumerate() {
        let count = layout.count();
        let values: Vec<f64> = decode(storage, &encode(storage, &seeded::<f64>(2, count * 16)));
        let mut image = vec![f64::NAN; 4096];
        for (at, value) in values.iter().enumerate() {
            let place = &mut image[layout.at(at / 16, at % 16)];
            assert!(place.is_nan(), "two values in one place");
            *place = *value;
        }
        let (image, rows) = (Array::new(storage, &image), left.values());
        let exact: Vec<f64> =
            (0..64 * count).map(|at| (0..16).map(|k| rows[at / count * 16 + k] * values[at % count * 16 + k]).sum()).collect();
        let sums = Array::poisoned(Storage::F32, exact.len());
        let arguments = Image { left: left.at(), image: image.at(), sums: sums.at(), descriptor: layout.descriptor() };
        let kernel = format!("{}_{count}", if layout.turned { "turned" } else { "straight" });
        let how = Launched { grid: [1, 1, 1], threads: 128, shared: 8192 + 1024 };
        let case = |schedule| {
            library.run(&kernel, how, &arguments, schedule)?;
            compare("sums", &sums, &exact, Storage::F32.gate())
        };
        under_all_schedules(case).unwrap_or_else(|error| panic!("layout {index}: {error}"));
    }
}
