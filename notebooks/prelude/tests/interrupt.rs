//! An interrupt ends what takes long, leaves everything as it was, and lets the next cell run.

use std::thread;
use std::time::Duration;

use pellucid::prelude::*;
use pellucid::runtime::{interrupted, set_interrupted};

/// Interrupts soon, and waits for `work` to end, which without that would take many minutes.
fn interrupted_while<T>(work: impl FnOnce() -> Result<T>) -> Error {
    let keyboard = thread::spawn(|| {
        thread::sleep(Duration::from_millis(400));
        set_interrupted(true);
    });
    let ended = work();
    keyboard.join().expect("the thread only sleeps");
    assert!(interrupted());
    set_interrupted(false);
    ended.err().expect("what was interrupted has no result")
}

/// One test: the signal is the whole process's.
#[test]
fn long_loops_of_ours_end_and_the_next_cell_runs() {
    let model = load("drawn").unwrap();
    let lesion = drawn::lesion(1, LesionClass::Nevus);
    let before = model.predict(&lesion).unwrap();
    let endless = Method::SmoothGrad(SmoothGrad { samples: 4096, ..SmoothGrad::smilkov_2017() });
    let many = vec![lesion.clone(); 1_000];
    let errors = [
        interrupted_while(|| model.explain(&lesion, &endless)),
        interrupted_while(|| model.explain_all(&many, Method::relevance())),
        interrupted_while(|| train(&small_experiment(10_000, 50))),
    ];
    let errors = errors.into_iter();
    let also = [
        interrupted_while(|| model.predict_all(&many)),
        interrupted_while(|| {
            each("waiting", 0..1_000_000, |_| {
                thread::sleep(Duration::from_millis(1));
                Ok(())
            })
        }),
    ];
    for error in errors.chain(also) {
        let cancelled = error.chain().any(|cause| matches!(cause.downcast_ref::<xai::Error>(), Some(xai::Error::Cancelled)));
        let message = format!("{error:#}");
        assert!(cancelled || message.contains("stopped on request"), "{message}");
    }
    assert_eq!(model.predict(&lesion).unwrap(), before, "the model is as it was");
}
