//! Products through a library: under a `libcuda` and a `libcublasLt` whose device is this machine, `kernels/emulator/*.cpp`.

mod choices;
mod products;
mod prompt;
mod recordings;
mod search;

use std::path::PathBuf;
use std::process::Command;

use kernels::check::seeded;
use kernels::cuda::driver::Driver;
use kernels::cuda::products::Products;
use kernels::cuda::{Address, Fault, Queue};
use kernels::linear::cuda::{Factors, Product, Scratch, Then, product};

use crate::emulator::{driver_of, folder_with};
use crate::linear::Case;
use crate::memory::{Array, Storage};

const NAME: &str = "libcublasLt.so.12";
const FILES: [&str; 3] = ["activation/cuda.cu", "linear/cuda.cu", "linear/cuda_bias.cu"];
const NONE: Address = Address::NONE;

/// A folder with the emulated library; nothing where there is no C++ compiler.
fn library() -> Option<PathBuf> {
    folder_with("cublaslt.cpp", NAME)
}

/// Runs `case` in a process that finds both, as libraries are looked for once in a process; `test` is the calling one, in its file.
#[track_caller]
fn with_library(test: &str, storage: Storage, more: &[(&str, &str)], case: fn(Storage)) {
    let this = format!("{storage} {more:?}");
    if let Ok(wanted) = std::env::var("THE_CASE") {
        return if wanted == this {
            case(storage)
        };
    }
    let Some((_, variables)) = driver_of(storage, &FILES) else { return };
    let library = library().expect("there is a compiler").join(NAME);
    let mut inside = Command::new(std::env::current_exe().expect("a test knows where it is"));
    inside.args(["--exact", &format!("cublaslt::{test}"), "--nocapture"]).envs(variables).env_remove("PELLUCID_PRODUCTS");
    inside.env("PELLUCID_CUBLASLT", &library).env("THE_LIBRARY", &library).env("THE_CASE", &this);
    let ended = inside.envs(more.iter().copied()).output().expect("a test can start itself");
    let said = format!("{}{}", String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert!(ended.status.success() && said.contains("1 passed"), "{this}: {said}");
}

/// How often the emulated library was asked for a way, and for a product.
fn counted() -> [i32; 2] {
    let path = std::ffi::CString::new(std::env::var("THE_LIBRARY").unwrap()).unwrap();
    ["emulated_questions\0", "emulated_products\0"].map(|name| {
        // SAFETY: the library is our own; it is opened only where it is loaded already, and has these numbers.
        unsafe {
            let library = libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_NOLOAD);
            if library.is_null() { 0 } else { *libc::dlsym(library, name.as_ptr().cast()).cast::<i32>() }
        }
    })
}

fn case(product: Product, extents: [usize; 3]) -> Case {
    Case { product, extents, layout: None }
}

fn through(driver: &Driver, storage: Storage) -> Products {
    driver.products(storage).unwrap().through
}

/// `Y = X·Wᵀ` of (5, 16) and (24, 16), and where it stands.
fn started(queue: &dyn Queue, storage: Storage, depth: usize) -> (Result<(), Fault>, Array, [Array; 2]) {
    let [x, w] = [(1, 5 * depth), (2, 24 * depth)].map(|(seed, count)| Array::new(storage, &seeded(seed, count)));
    let y = Array::poisoned(storage, 5 * 24);
    let factors = Factors { left: x.address(), right: w.address(), bias: NONE, extents: [5, 24, depth] };
    let (then, scratch) = (Then::Store { to: y.address(), residual: NONE }, Scratch { at: NONE, values: 0 });
    (product(queue, storage, Product::Forward, factors, then, scratch), y, [x, w])
}
