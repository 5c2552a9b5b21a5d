//! Products that the library takes, and those that it leaves.

use kernels::cuda::driver::Driver;
use kernels::cuda::products::Products;
use kernels::cuda::{Fault, Queue};
use kernels::linear::cuda::Product;

use super::prompt::Prompt;
use super::{case, counted, started, with_library};
use crate::linear::{PRODUCTS, run};
use crate::memory::Storage;

#[test]
fn products_of_every_kind_and_size() {
    for storage in Storage::ALL {
        with_library("products::products_of_every_kind_and_size", storage, &[], |storage| {
            let queue = Prompt::open();
            for rows in [1, 17, 65, 145, 257] {
                for product in PRODUCTS {
                    let extents = if product == Product::Weights { [72, 40, rows] } else { [rows, 72, 200] };
                    run(&queue, storage, case(product, extents))
                        .unwrap_or_else(|error| panic!("{storage}, {product:?}, {rows} rows: {error}"));
                }
            }
            let account = queue.0.products(storage).unwrap();
            assert_eq!((account.through, account.refused.len()), (Products::Cublaslt, 0));
            let (path, version) = account.library.unwrap();
            assert_eq!((path, version), (std::env::var("THE_LIBRARY").unwrap(), "12.2.5".to_owned()));
            // Thirteen products of the proof, of nine shapes; of each case of a pass nine of four, of weights one.
            assert_eq!(counted(), [9 + 5 * (4 + 4 + 1), 13 + 5 * (9 + 9 + 1)]);
        });
    }
}

#[test]
fn a_shape_that_is_refused_is_left_to_own_kernels() {
    let more = [("EMULATED_CUBLASLT", "depth=200")];
    with_library("products::a_shape_that_is_refused_is_left_to_own_kernels", Storage::Bf16, &more, |storage| {
        let queue = Prompt::open();
        run(&queue, storage, case(Product::Forward, [17, 72, 200])).unwrap();
        let before = counted();
        run(&queue, storage, case(Product::Forward, [17, 72, 200])).unwrap();
        assert_eq!(counted(), before, "a refusal is remembered");
        run(&queue, storage, case(Product::Forward, [17, 72, 64])).unwrap();
        assert!(counted()[1] > before[1]);
        let account = queue.0.products(storage).unwrap();
        assert_eq!((account.through, account.refused.len()), (Products::Cublaslt, 4), "{account:?}");
        assert!(account.refused[0].contains("[17, 72, 200]") && account.refused[0].contains("did not execute"), "{account:?}");
    });
}

#[test]
fn a_shape_that_ran_and_fails_is_a_fault() {
    with_library("products::a_shape_that_ran_and_fails_is_a_fault", Storage::F32, &[("EMULATED_CUBLASLT", "later=16")], |storage| {
        let driver = Driver::open(0).unwrap();
        assert_eq!(started(&driver, storage, 16).0, Ok(()));
        driver.synchronise().unwrap();
        assert!(matches!(started(&driver, storage, 16).0, Err(Fault::Refused { reason, .. }) if reason.contains("cublasLtMatmul")));
    });
}

#[test]
fn the_same_inputs_give_the_same_bits() {
    with_library("products::the_same_inputs_give_the_same_bits", Storage::F32, &[], |storage| {
        let driver = Driver::open(0).unwrap();
        let bits = || {
            let (taken, y, _inputs) = started(&driver, storage, 136);
            taken.unwrap();
            driver.synchronise().unwrap();
            y.read().unwrap()
        };
        let first = bits();
        assert!(first.iter().all(|value| value.is_finite()) && first == bits());
    });
}
