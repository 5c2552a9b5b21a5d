//! Products of the library inside what is recorded.

use kernels::cuda::Queue;
use kernels::cuda::driver::Driver;
use kernels::cuda::products::Products;

use super::{counted, started, through, with_library};
use crate::memory::{Array, Storage};

/// What stands at an array once all work is done.
fn settled(driver: &Driver, array: &Array) -> Vec<f64> {
    driver.synchronise().unwrap();
    array.read().unwrap()
}

#[test]
fn what_is_recorded_runs_when_it_is_replayed() {
    for storage in Storage::ALL {
        with_library("recordings::what_is_recorded_runs_when_it_is_replayed", storage, &[], |storage| {
            let driver = Driver::open(0).unwrap();
            let (taken, y, _inputs) = started(&driver, storage, 136);
            let expected = taken.map(|()| settled(&driver, &y)).unwrap();
            assert!(driver.record().unwrap());
            // The second shape is planned while the device records.
            let (taken, again, _same) = started(&driver, storage, 136);
            let (planned, other, _others) = started(&driver, storage, 200);
            let recording = driver.end_recording().unwrap();
            assert_eq!((taken, planned), (Ok(()), Ok(())));
            assert!([&again, &other].iter().all(|array| settled(&driver, array).iter().all(|value| value.is_nan())), "it ran too early");
            let before = counted()[1];
            driver.replay(recording).unwrap();
            assert_eq!(settled(&driver, &again), expected);
            let first = settled(&driver, &other);
            assert!(first.iter().all(|value| value.is_finite()));
            driver.replay(recording).unwrap();
            assert_eq!((settled(&driver, &other), counted()[1]), (first, before), "a replay asks nobody");
        });
    }
}

#[test]
fn what_is_not_decided_before_is_left_to_own_kernels() {
    with_library("recordings::what_is_not_decided_before_is_left_to_own_kernels", Storage::F32, &[], |storage| {
        let driver = Driver::open(0).unwrap();
        driver.record().unwrap();
        let (taken, y, _inputs) = started(&driver, storage, 136);
        let recording = driver.end_recording().unwrap();
        assert_eq!((taken, counted()), (Ok(()), [0, 0]));
        driver.replay(recording).unwrap();
        assert!(settled(&driver, &y).iter().all(|value| value.is_finite()));
        assert_eq!(through(&driver, storage), Products::Cublaslt);
    });
}
