//! Which library is taken, and whether any.

use kernels::cuda::Fault;
use kernels::cuda::driver::Driver;
use kernels::cuda::products::Products;
use kernels::linear::cuda::Product;

use super::prompt::Prompt;
use super::{NAME, case, counted, library, started, through, with_library};
use crate::linear::run;
use crate::memory::Storage;

#[test]
fn what_is_wrong_is_not_used() {
    let wrongs = [
        ("wrong", "disagrees"),
        ("nan", "NaN"),
        ("heuristic", "serves no product"),
        ("multiply", "serves no product"),
        ("create", "too old"),
    ];
    for storage in Storage::ALL {
        for (wrong, says) in wrongs {
            with_library("choices::what_is_wrong_is_not_used", storage, &[("EMULATED_CUBLASLT", wrong), ("SAYS", says)], |storage| {
                let queue = Prompt::open();
                run(&queue, storage, case(Product::Backward, [17, 72, 40])).unwrap();
                let account = queue.0.products(storage).unwrap();
                assert_eq!((account.through, account.library), (Products::Own, None));
                let [why] = &account.passed_over[..] else { panic!("{:?}", account.passed_over) };
                assert!(why.contains(&std::env::var("SAYS").unwrap()), "{why}");
                assert!(counted()[1] <= 1, "no product after the proof");
            });
        }
    }
}

#[test]
fn every_version_is_spoken_to_in_its_own_way() {
    const TEST: &str = "choices::every_version_is_spoken_to_in_its_own_way";
    for version in ["111003", "130100"] {
        with_library(TEST, Storage::F32, &[("EMULATED_CUBLASLT_VERSION", version)], |storage| {
            assert_eq!(through(&Driver::open(0).unwrap(), storage), Products::Cublaslt);
        });
    }
    with_library(TEST, Storage::F32, &[("EMULATED_CUBLASLT_VERSION", "140000")], |storage| {
        let account = Driver::open(0).unwrap().products(storage).unwrap();
        assert!(account.through == Products::Own && account.passed_over[0].contains("version 14.0.0"), "{account:?}");
    });
}

#[test]
fn an_explicit_choice_is_kept() {
    const TEST: &str = "choices::an_explicit_choice_is_kept";
    with_library(TEST, Storage::F32, &[("PELLUCID_PRODUCTS", "own")], |storage| {
        let queue = Prompt::open();
        run(&queue, storage, case(Product::Forward, [17, 72, 40])).unwrap();
        assert_eq!((through(&queue.0, storage), counted()), (Products::Own, [0, 0]));
    });
    with_library(TEST, Storage::F32, &[("PELLUCID_PRODUCTS", "cublaslt"), ("PELLUCID_CUBLASLT", "off")], |storage| {
        let driver = Driver::open(0).unwrap();
        assert!(matches!(driver.products(storage), Err(Fault::Unsupported(_))));
        let fault = started(&driver, storage, 16).0.unwrap_err();
        assert!(fault.to_string().contains("PELLUCID_CUBLASLT=off"), "{fault}");
    });
    with_library(TEST, Storage::F32, &[("PELLUCID_PRODUCTS", "cublaslt"), ("EMULATED_CUBLASLT", "depth=16")], |storage| {
        let driver = Driver::open(0).unwrap();
        assert_eq!((started(&driver, storage, 32).0, through(&driver, storage)), (Ok(()), Products::Cublaslt));
        assert!(matches!(started(&driver, storage, 16).0, Err(Fault::Unsupported(what)) if what.contains("[5, 24, 16]")));
    });
    with_library(TEST, Storage::F32, &[("PELLUCID_PRODUCTS", "fast")], |_| {
        assert!(matches!(Driver::open(0), Err(Fault::Unsupported(what)) if what.contains("auto, cublaslt, wgmma or own")));
    });
}

#[test]
fn off_is_off() {
    with_library("choices::off_is_off", Storage::F32, &[("PELLUCID_CUBLASLT", "off")], |storage| {
        let queue = Prompt::open();
        run(&queue, storage, case(Product::Forward, [17, 72, 40])).unwrap();
        let account = queue.0.products(storage).unwrap();
        assert_eq!((account.through, account.passed_over, counted()), (Products::Own, vec!["PELLUCID_CUBLASLT=off".into()], [0, 0]));
    });
}

/// A newer library that does not load is passed over for an older one that does, found where `pip` puts it.
#[test]
fn the_next_library_is_taken() {
    let Some(environment) = library() else { return };
    let packages = environment.join("lib/python3.12/site-packages/nvidia/cublas/lib");
    if std::env::var_os("THE_CASE").is_none() {
        std::fs::create_dir_all(&packages).unwrap();
        std::fs::write(packages.join("libcublasLt.so.13"), "no library").unwrap();
        let _ = std::os::unix::fs::symlink(packages.join("../../../../../..").join(NAME), packages.join(NAME));
    }
    let more = [("PELLUCID_CUBLASLT", ""), ("VIRTUAL_ENV", environment.to_str().unwrap()), ("PATH", "")];
    with_library("choices::the_next_library_is_taken", Storage::F32, &more, |storage| {
        let account = Driver::open(0).unwrap().products(storage).unwrap();
        assert_eq!(account.through, Products::Cublaslt, "{account:?}");
        assert!(account.library.unwrap().0.ends_with("site-packages/nvidia/cublas/lib/libcublasLt.so.12"));
        assert!(account.passed_over.iter().any(|why| why.contains("libcublasLt.so.13")), "{:?}", account.passed_over);
    });
}
