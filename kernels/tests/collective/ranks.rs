//! Starting a test's own program as the ranks of a group.

use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use kernels::collective::{Group, Patience, Place};

/// No process of a test outlives this.
const MOST: Duration = Duration::from_secs(60);
/// Says to a process that it is a rank, and of which test.
const INSIDE: &str = "PELLUCID_RANK_OF";

/// What a rank printed, and whether it ended well.
#[derive(Debug)]
pub struct Ended {
    pub is_well: bool,
    pub said: String,
}

/// How ranks are started beyond what launchers say.
#[derive(Debug, Clone, Copy, Default)]
pub struct Start<'a> {
    /// Which ranks are started, all where none is named.
    pub only: &'a [usize],
    /// Variables of single ranks that replace the launcher's.
    pub variables: &'a [(usize, &'a str, &'a str)],
    /// Variables of all.
    pub all: &'a [(&'a str, &'a str)],
}

/// Runs `body` as every rank of a group of `world` in a process of its own, and hands what they said to `judge`. `name` is the calling
/// test's, with its module.
#[track_caller]
pub fn with_ranks(name: &str, world: usize, start: Start, body: fn(), judge: impl FnOnce(&[Ended])) {
    if std::env::var(INSIDE).is_ok_and(|inside| inside == name) {
        return body();
    }
    let port = free_port().to_string();
    let ranks: Vec<usize> = if start.only.is_empty() { (0..world).collect() } else { start.only.to_vec() };
    let started: Vec<Child> = ranks.iter().map(|&rank| spawn(name, rank, world, &port, start)).collect();
    let until = Instant::now() + MOST;
    let ended: Vec<Ended> = started.into_iter().map(|child| wait(child, until)).collect();
    judge(&ended);
}

/// All ranks ended well.
#[track_caller]
pub fn all_well(ended: &[Ended]) {
    assert!(ended.iter().all(|one| one.is_well), "{ended:#?}");
}

/// The group that the environment says, with patience for tests.
pub fn join() -> Result<Group, kernels::collective::Fault> {
    Group::join(&Place::of_environment()?, patience(20))
}

pub fn patience(seconds: u64) -> Patience {
    Patience { joining: Duration::from_secs(seconds), answering: Duration::from_secs(seconds) }
}

/// A port that nobody listened at a moment ago, below those that the system gives out by itself.
pub fn free_port() -> u16 {
    // Tests that run at the same time, in this process or in others, begin to look elsewhere.
    static ASKED: AtomicU16 = AtomicU16::new(0);
    let first = 20000 + (std::process::id() * 37 % 9000) as u16 + 40 * ASKED.fetch_add(1, Ordering::Relaxed);
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    (first..32000).find(is_free).expect("some port is free")
}

fn spawn(name: &str, rank: usize, world: usize, port: &str, start: Start) -> Child {
    let mut command = Command::new(std::env::current_exe().expect("a test knows where it is"));
    command.args(["--exact", name, "--nocapture", "--test-threads=1"]).env(INSIDE, name);
    let (rank_, world) = (rank.to_string(), world.to_string());
    command.envs([
        ("RANK", &*rank_),
        ("WORLD_SIZE", &*world),
        ("LOCAL_RANK", &*rank_),
        ("MASTER_ADDR", "127.0.0.1"),
        ("MASTER_PORT", port),
    ]);
    command.envs(start.all.iter().copied());
    command.envs(start.variables.iter().filter(|(of, ..)| *of == rank).map(|(_, name, value)| (name, value)));
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a test can start itself")
}

/// Waits for a process, and ends it where it takes too long.
fn wait(mut child: Child, until: Instant) -> Ended {
    while Instant::now() < until && child.try_wait().is_ok_and(|status| status.is_none()) {
        std::thread::sleep(Duration::from_millis(10));
    }
    let is_late = child.try_wait().is_ok_and(|status| status.is_none());
    if is_late {
        child.kill().expect("our own process can be ended");
    }
    let output = child.wait_with_output().expect("it ended");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let is_well = !is_late && output.status.success() && said.contains("1 passed");
    Ended { is_well, said: if is_late { format!("it did not end: {said}") } else { said } }
}
