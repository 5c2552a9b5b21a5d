//! The driver's queue under a `libcuda` whose device is this machine: `kernels/emulator/driver.cpp`.
//!
//! A library is looked for when a process first asks for it, so every case runs in a process of its own.
#![cfg(target_os = "linux")]

#[allow(dead_code)]
#[path = "../emulator/library.rs"]
mod emulator;

use std::process::Command;

use kernels::cuda::driver::Driver;
use kernels::cuda::{Clock, Fault, Mark, Queue, Storage, decode, encode};
use kernels::tokens::cuda::{Cut, cut};
use kernels::{Device, device::Cuda};

/// Runs `case` in a process that finds the emulated driver; `name` is the calling test's.
#[track_caller]
fn with_driver(name: &str, more: &[(&str, &str)], case: fn()) {
    if std::env::var_os("EMULATED_KERNELS").is_some() {
        return case();
    }
    let Some((_, variables)) = emulator::driver() else { return };
    let mut inside = Command::new(std::env::current_exe().expect("a test knows where it is"));
    inside.args(["--exact", name, "--nocapture"]).envs(variables).envs(more.iter().copied());
    let ended = inside.output().expect("a test can start itself");
    let said = format!("{}{}", String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert!(ended.status.success() && said.contains("1 passed"), "{said}");
}

fn open() -> Driver {
    Driver::open(0).unwrap()
}

/// Leading tokens of what is uploaded, cut on the device.
fn leading(queue: &dyn Queue, values: &[f32]) -> Result<Vec<f32>, Fault> {
    let (from, to) = (queue.allocate(4 * values.len())?, queue.allocate(64)?);
    queue.upload(from, &encode(Storage::F32, values))?;
    let cut_ = Cut { from, to, images: 2, from_tokens: values.len() as i32 / 16, to_tokens: 1, first: 0, width: 8 };
    cut(queue, Storage::F32, cut_)?;
    let mut bytes = vec![0; 64];
    queue.download(to, &mut bytes)?;
    queue.free(from);
    queue.free(to);
    Ok(decode(Storage::F32, &bytes))
}

#[test]
fn memory_copies_and_launches() {
    with_driver("memory_copies_and_launches", &[], || {
        let driver = open();
        assert_eq!((driver.name().as_str(), driver.capability(), driver.multiprocessors()), ("an emulated device", 90, 8));
        assert_eq!(Cuda::probe(), Cuda::Found { version: 12020, devices: vec!["an emulated device".into()] });
        assert_eq!((Device::best(), Device::Cuda(0).require()), (Device::Cuda(0), Ok(())));
        assert!(matches!(Driver::open(1), Err(Fault::NoDevice { ordinal: 1, count: 1 })));
        // More than both buffers hold, so that each is used again.
        let many: Vec<f32> = (0..6 << 20).map(|i| i as f32).collect();
        let half = many.len() / 2;
        let found = leading(&driver, &many).unwrap();
        assert_eq!(found, [&many[..8], &many[half..half + 8]].concat());
        let at = driver.allocate(4 * many.len()).unwrap();
        driver.upload(at, &encode(Storage::F32, &many)).unwrap();
        driver.clear(at, 8).unwrap();
        let mut back = vec![1; 4 * many.len()];
        driver.download(at, &mut back).unwrap();
        assert_eq!(decode::<f32>(Storage::F32, &back)[2..], many[2..]);
        assert_eq!(back[..8], [0; 8]);
        driver.synchronise().unwrap();
    });
}

#[test]
fn what_is_recorded_runs_when_it_is_replayed() {
    with_driver("what_is_recorded_runs_when_it_is_replayed", &[], || {
        let driver = open();
        let at = driver.allocate(16).unwrap();
        driver.upload(at, &[7; 16]).unwrap();
        assert!(driver.record().unwrap());
        driver.clear(at, 8).unwrap();
        let recording = driver.end_recording().unwrap();
        let read = || {
            let mut bytes = [1; 16];
            driver.download(at, &mut bytes).unwrap();
            bytes
        };
        assert_eq!(read(), [7; 16]);
        driver.replay(recording).unwrap();
        assert_eq!(read(), [[0; 8], [7; 8]].concat()[..]);
        assert!(driver.replay(kernels::cuda::Recording(9)).is_err());
    });
}

/// The emulated driver counts a thousandth for a launch and for each of its blocks.
#[test]
fn moments_and_stretches() {
    with_driver("moments_and_stretches", &[], || {
        let driver = open();
        let tell = |between| driver.milliseconds(between).unwrap();
        let before = driver.mark().unwrap();
        leading(&driver, &[0.5; 32]).unwrap();
        let after = driver.mark().unwrap();
        assert_eq!((tell([before, after]), tell([before, before])), (0.002, 0.0));
        let at = driver.allocate(16).unwrap();
        driver.watch().unwrap();
        leading(&driver, &[0.5; 32]).unwrap();
        assert!(driver.record().unwrap());
        driver.clear(at, 8).unwrap();
        driver.replay(driver.end_recording().unwrap()).unwrap();
        let stretches = driver.watched().unwrap();
        assert_eq!(stretches.iter().map(|&between| tell(between)).collect::<Vec<_>>(), [0.002, 0.0], "a launch, and a replay that clears");
        assert!(driver.watched().unwrap().is_empty(), "it is watched no more");
        for _ in 0..1024 {
            driver.mark().unwrap();
        }
        let last = driver.mark().unwrap();
        assert!(driver.milliseconds([last, Mark(last.0 + 1)]).is_err() && driver.milliseconds([after, last]).is_err());
        assert_eq!(tell([Mark(last.0 - 1023), last]), 0.0);
        assert_eq!(driver.memory().unwrap().1, 1 << 30);
    });
}

/// Three places of eight equal numbers. The main path copies the second to the first, a branch the first to the third, and then the main
/// path clears the first: all at once, or recorded and replayed. Joins are there or left out: before the clearing, and at the end.
fn forked(driver: &Driver, recorded: bool, joins: [bool; 2]) -> Result<Vec<f32>, Fault> {
    let at = driver.allocate(96)?;
    driver.upload(at, &encode(Storage::F32, &[[1.0f32; 8], [2.0; 8], [3.0; 8]].concat()))?;
    let copy = |from: usize, to: usize| {
        let (from, to) = (at.plus(32 * from), at.plus(32 * to));
        cut(driver, Storage::F32, Cut { from, to, images: 1, from_tokens: 1, to_tokens: 1, first: 0, width: 8 })
    };
    let recording = recorded && driver.record()?;
    copy(1, 0)?;
    driver.fork(&mut || copy(0, 2))?;
    if joins[0] {
        driver.join()?;
    }
    driver.clear(at, 32)?;
    if joins[1] {
        driver.join()?;
    }
    if recording {
        driver.replay(driver.end_recording()?)?;
    }
    let mut bytes = vec![0; 96];
    driver.download(at, &mut bytes)?;
    driver.join()?;
    driver.free(at);
    Ok(decode::<f32>(Storage::F32, &bytes).into_iter().step_by(8).collect())
}

#[test]
fn a_branch_runs_beside_the_main_path() {
    for early in ["0", "1"] {
        with_driver("a_branch_runs_beside_the_main_path", &[("EMULATED_EARLY", early)], || {
            let driver = open();
            for recorded in [false, true] {
                assert_eq!(forked(&driver, recorded, [true; 2]), Ok(vec![0.0, 2.0, 2.0]), "recorded: {recorded}");
            }
        });
    }
}

#[test]
fn a_join_that_is_missing_shows() {
    with_driver("a_join_that_is_missing_shows", &[], || {
        let driver = open();
        for recorded in [false, true] {
            // What the branch reads was cleared before it came to it.
            assert_eq!(forked(&driver, recorded, [false, true]), Ok(vec![0.0, 2.0, 0.0]), "recorded: {recorded}");
        }
        assert_eq!(forked(&driver, false, [false; 2]), Ok(vec![0.0, 2.0, 3.0]), "nobody waits for the branch");
        assert!(matches!(forked(&driver, true, [false; 2]), Err(Fault::Refused { .. })), "a recording joins what it forked");
        assert_eq!(forked(&driver, true, [true; 2]), Ok(vec![0.0, 2.0, 2.0]), "a failed recording leaves nothing behind");
    });
}

#[test]
fn memory_that_is_not_there() {
    with_driver("memory_that_is_not_there", &[("EMULATED_MEMORY", "1000")], || {
        let driver = open();
        let _first = driver.allocate(400).unwrap();
        assert_eq!(driver.allocate(601), Err(Fault::OutOfMemory { wanted: 601, free: 600 }));
    });
}

#[test]
fn a_driver_that_cannot_load_the_kernels() {
    with_driver("a_driver_that_cannot_load_the_kernels", &[("EMULATED_LOADING", "222"), ("EMULATED_VERSION", "12000")], || {
        assert_eq!(leading(&open(), &[0.0; 32]), Err(Fault::OldDriver { version: 12000 }));
        assert!(Fault::OldDriver { version: 12000 }.to_string().contains("12.0"));
    });
}

#[test]
fn a_driver_that_takes_no_cubins_of_ours() {
    let variables = [("EMULATED_LOADING", "209"), ("EMULATED_VERSION", "12010")];
    with_driver("a_driver_that_takes_no_cubins_of_ours", &variables, || {
        assert_eq!(leading(&open(), &[0.0; 32]), Err(Fault::OldDriver { version: 12010 }));
    });
}

#[test]
fn another_thread_waits_until_a_recording_has_ended() {
    with_driver("another_thread_waits_until_a_recording_has_ended", &[], || {
        let driver = open();
        let at = driver.allocate(64).unwrap();
        driver.upload(at, &[1; 64]).unwrap();
        driver.record().unwrap();
        std::thread::scope(|scope| {
            let (asks, asked) = std::sync::mpsc::channel();
            let reader = &driver;
            let other = scope.spawn(move || {
                asks.send(()).unwrap();
                let mut bytes = [0; 64];
                reader.download(at, &mut bytes).map(|()| bytes)
            });
            asked.recv().unwrap();
            // Long enough for the other thread to be refused, did it not wait.
            std::thread::sleep(std::time::Duration::from_millis(200));
            assert!(!other.is_finished());
            driver.clear(at, 32).unwrap();
            let recording = driver.end_recording().unwrap();
            assert_eq!(other.join().unwrap(), Ok([1; 64]), "what is recorded does not run yet");
            driver.replay(recording).unwrap();
            let mut bytes = [1; 64];
            driver.download(at, &mut bytes).unwrap();
            assert_eq!(bytes[..32], [0; 32]);
            driver.forget(recording);
            assert!(matches!(driver.replay(recording), Err(Fault::Refused { .. })));
        });
    });
}

#[test]
fn a_driver_that_is_too_old() {
    with_driver("a_driver_that_is_too_old", &[("EMULATED_VERSION", "11030")], || {
        assert!(matches!(Driver::open(0), Err(Fault::OldDriver { version: 11030 })));
    });
}

#[test]
fn a_device_that_stops() {
    with_driver("a_device_that_stops", &[("EMULATED_LAUNCHING", "700")], || {
        let driver = open();
        assert!(matches!(leading(&driver, &[0.0; 32]), Err(Fault::Lost(_))));
        assert!(matches!(driver.synchronise(), Err(Fault::Lost(_))));
    });
}
