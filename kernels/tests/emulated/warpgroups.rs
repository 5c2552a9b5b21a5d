//! Which products and attention the driver gives to warpgroups: those that are named, and agree with their twins.

use std::process::Command;

use kernels::attention::Shape;
use kernels::attention::cuda::{AttentionForward, forward, own, scale};
use kernels::check::seeded;
use kernels::cuda::driver::Driver;
use kernels::cuda::products::Products;
use kernels::cuda::{Address, Queue};
use kernels::linear::cuda::{Factors, Product, Scratch, Then, product};

use crate::emulator::{built_instead, driver_of, source};
use crate::memory::{Array, Gate, Storage, compare};

const FILES: [&str; 4] = ["attention/cuda.cu", "attention/cuda_hopper.cu", "linear/cuda.cu", "linear/cuda_hopper.cu"];
/// Tiles of 128 by 128 on each of the emulated device's eight multiprocessors.
const EXTENTS: [usize; 3] = [256, 512, 64];

/// Runs `case` in a process that finds an emulated driver with these kernels of bf16; `test` is the calling one.
fn on_a_driver(test: &str, choice: &str, broken: Option<(&str, &str, &str)>, case: fn()) {
    if std::env::var_os("THE_CASE").is_some() {
        return case();
    }
    let Some((_, mut variables)) = driver_of(Storage::Bf16, &FILES) else { return };
    if let Some((file, from, to)) = broken {
        let text = source(file);
        assert!(text.contains(from), "{file} has no `{from}`");
        let instead = built_instead(file, &text.replace(from, to), Storage::Bf16).display().to_string();
        let kernels = variables.iter_mut().find(|(name, _)| *name == "EMULATED_KERNELS").expect("a driver has kernels");
        kernels.1 = format!("{instead}:{}", kernels.1);
    }
    let mut inside = Command::new(std::env::current_exe().expect("a test knows where it is"));
    inside.args(["--exact", &format!("warpgroups::{test}"), "--nocapture"]).envs(variables);
    let ended = inside.env("PELLUCID_PRODUCTS", choice).env("THE_CASE", test).output().expect("a test can start itself");
    let said = format!("{}{}", String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert!(ended.status.success() && said.contains("1 passed"), "{said}");
}

/// The product through the driver, held against the definition.
fn multiply(driver: &Driver) {
    let [rows, columns, depth] = EXTENTS;
    let [x, w] = [(1, rows * depth), (2, columns * depth)].map(|(seed, count)| Array::new(Storage::Bf16, &seeded(seed, count)));
    let y = Array::poisoned(Storage::Bf16, rows * columns);
    let factors = Factors { left: x.address(), right: w.address(), bias: Address::NONE, extents: EXTENTS };
    let then = Then::Store { to: y.address(), residual: Address::NONE };
    product(driver, Storage::Bf16, Product::Forward, factors, then, Scratch { at: Address::NONE, values: 0 }).unwrap();
    driver.synchronise().unwrap();
    let (left, right) = (x.values(), w.values());
    let sum = |row: usize, column: usize| (0..depth).map(|k| left[row * depth + k] * right[column * depth + k]).sum::<f64>();
    let exact: Vec<f64> = (0..rows * columns).map(|at| sum(at / columns, at % columns)).collect();
    compare("product", &y, &exact, Storage::Bf16.gate()).unwrap();
}

/// Attention through the driver, held against its twin.
fn attend(driver: &Driver) {
    let shape = Shape { images: 1, tokens: 65, heads: 2, head_width: 32 };
    let qkv = Array::new(Storage::Bf16, &seeded(3, shape.qkv_len()));
    let results = [forward, own].map(|attention| {
        let context = Array::poisoned(Storage::Bf16, shape.context_len());
        let sums = Array::poisoned(Storage::F32, shape.log_sum_exp_len());
        let arguments = AttentionForward {
            qkv: qkv.address(),
            context: context.address(),
            log_sum_exp: sums.address(),
            tokens: shape.tokens as i32,
            heads: shape.heads as i32,
            scale: scale(shape.head_width),
        };
        attention(driver, Storage::Bf16, shape, arguments).unwrap();
        driver.synchronise().unwrap();
        context
    });
    compare("context", &results[0], &results[1].read().unwrap(), Storage::Bf16.gate()).unwrap();
}

#[test]
fn what_is_named_and_agrees_is_taken() {
    on_a_driver("what_is_named_and_agrees_is_taken", "wgmma", None, || {
        let driver = Driver::open(0).unwrap();
        assert_eq!(driver.products(Storage::F32).unwrap().through, Products::Own, "f32 has no such kernels");
        let account = driver.products(Storage::Bf16).unwrap();
        assert_eq!((account.through, account.library), (Products::Wgmma, None));
        multiply(&driver);
        attend(&driver);
        assert!(driver.products(Storage::Bf16).unwrap().passed_over.iter().all(|why| why.contains("f32")), "attention agreed as well");
    });
}

#[test]
fn what_is_not_named_is_not_taken() {
    on_a_driver("what_is_not_named_is_not_taken", "auto", None, || {
        let driver = Driver::open(0).unwrap();
        assert_eq!(driver.products(Storage::Bf16).unwrap().through, Products::Own);
        multiply(&driver);
    });
}

/// A kernel that is wrong is found before it is used, and results are those of its twin.
#[test]
fn what_disagrees_is_not_taken() {
    let half_of_the_depth = ("linear/cuda_hopper.cu", "k < CHUNK; k += 16", "k < CHUNK; k += 32");
    on_a_driver("what_disagrees_is_not_taken", "wgmma", Some(half_of_the_depth), || {
        let driver = Driver::open(0).unwrap();
        let account = driver.products(Storage::Bf16).unwrap();
        assert_eq!(account.through, Products::Own);
        assert!(account.passed_over.iter().any(|why| why.contains("Forward in bf16") && why.contains("disagrees")), "{account:?}");
        multiply(&driver);
    });
}
