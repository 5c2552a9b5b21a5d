//! Processes that train one model together, as launchers start them.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

use crate::run::{Dir, Pellucid, setup};

const EXPERIMENT: &str = include_str!("small.toml");

/// A port that nobody listened at a moment ago; tests that run at the same time begin to look elsewhere.
fn free_port() -> u16 {
    static ASKED: AtomicU16 = AtomicU16::new(0);
    let first = 20000 + (std::process::id() * 41 % 9000) as u16 + 40 * ASKED.fetch_add(1, Ordering::Relaxed);
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    (first..32000).find(is_free).expect("some port is free")
}

/// Rank `rank` of two, as torchrun starts it.
fn by_torchrun(dir: &Dir, rank: usize, port: &str) -> Pellucid {
    let rank = rank.to_string();
    let variables = [("RANK", &*rank), ("WORLD_SIZE", "2"), ("LOCAL_RANK", &*rank), ("MASTER_ADDR", "127.0.0.1"), ("MASTER_PORT", port)];
    with(dir, &variables)
}

/// The same as srun starts it.
fn by_slurm(dir: &Dir, rank: usize, port: &str) -> Pellucid {
    let rank = rank.to_string();
    let variables = [("SLURM_PROCID", &*rank), ("SLURM_NTASKS", "2"), ("SLURM_LOCALID", &*rank), ("SLURM_JOB_NODELIST", "localhost")];
    with(dir, &variables).env("PELLUCID_PORT", port)
}

fn with(dir: &Dir, variables: &[(&str, &str)]) -> Pellucid {
    variables.iter().fold(dir.pellucid().env("PELLUCID_GROUP_SECONDS", "60"), |program, (name, value)| program.env(name, value))
}

/// Two ranks at once; what they wrote to standard output.
fn two(dir: &Dir, start: fn(&Dir, usize, &str) -> Pellucid, line: &str) -> [String; 2] {
    let port = free_port().to_string();
    std::thread::scope(|scope| {
        let port = &port;
        let ranks = [0, 1].map(|rank| scope.spawn(move || start(dir, rank, port).line(line).succeeds().stdout));
        ranks.map(|rank| rank.join().expect("a rank ends well"))
    })
}

#[test]
fn two_processes_learn_what_one_learns_from_the_same_parts() {
    let (dir, pellucid) = setup("together");
    dir.write("small.toml", EXPERIMENT.as_bytes());
    pellucid.line("train small.toml --out parts --parts 2").succeeds().warns(&["epoch 2"]);
    dir.pellucid().line("train small.toml --out whole").succeeds();
    let of = |folder: &str, file: &str| fs::read(dir.path(folder).join(file)).expect("the run wrote it");
    for (start, folder) in [(by_torchrun as fn(&Dir, usize, &str) -> Pellucid, "torchrun"), (by_slurm, "slurm")] {
        let said = two(&dir, start, &format!("train small.toml --out {folder}"));
        assert_eq!(said, [format!("{folder}\n"), String::new()], "the first one speaks for all");
        for file in ["model.safetensors", "predictions.csv", "evaluation.json"] {
            assert!(of(folder, file) == of("parts", file), "{folder}/{file} is another one than with --parts 2");
        }
        let curve = String::from_utf8(of(folder, "curve.csv")).expect("text");
        assert_eq!(curve.lines().count(), 3, "one process writes: {curve}");
    }
    assert!(of("whole", "model.safetensors") != of("parts", "model.safetensors"), "the test would not see another order of sums");
}

#[test]
fn what_launchers_leave_out_is_named() {
    let (dir, _) = setup("together_half");
    dir.write("small.toml", EXPERIMENT.as_bytes());
    let line = "train small.toml --out run";
    with(&dir, &[("RANK", "0")]).line(line).fails().warns(&["WORLD_SIZE", "how many processes"]);
    with(&dir, &[("RANK", "3"), ("WORLD_SIZE", "2")]).line(line).fails().warns(&["RANK=3", "WORLD_SIZE=2"]);
    with(&dir, &[("SLURM_PROCID", "0"), ("SLURM_NTASKS", "2")]).line(line).fails().warns(&["SLURM_LOCALID", "srun"]);
    let port = free_port().to_string();
    by_torchrun(&dir, 0, &port).line(&format!("{line} --parts 3")).fails().warns(&["3 parts", "2 processes"]);
    by_torchrun(&dir, 0, &port).env("PELLUCID_GROUP_SECONDS", "1").line(line).fails().warns(&["ranks 1 of 2 did not come"]);
    dir.pellucid().line(&format!("{line} --parts 6")).fails().warns(&["6 parts", "larger batches"]);
    assert!(!dir.exists("run"));
}
