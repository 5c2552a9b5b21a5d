//! A bias rounded to the storage of its product; no barrier.

use kernels::check::seeded;
use kernels::cuda::{decode, encode};
use kernels::linear::cuda_bias::{RoundedBias, round};

use crate::emulator::Schedule;
use crate::memory::{Array, Storage};
use crate::queue::Emulated;

#[test]
fn biases_of_every_width_are_rounded_to_even() {
    for schedule in Schedule::ALL {
        let Some(queue) = Emulated::new(schedule) else { return };
        for storage in Storage::ALL {
            for columns in [8, 40, 2048, 2056] {
                let values = seeded::<f64>(1, columns);
                let (from, to) = (Array::new(Storage::F32, &values), Array::poisoned(storage, columns));
                let bias = RoundedBias { from: from.address(), to: to.address(), columns: columns as i32 };
                round(&queue, storage, bias).unwrap();
                assert_eq!(to.read().unwrap(), decode::<f64>(storage, &encode(storage, &values)), "{storage}, {columns}");
            }
        }
    }
}
