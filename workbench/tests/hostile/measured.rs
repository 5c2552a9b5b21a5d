//! The program as a process of its own, with bounds on its memory and time, and its peak memory afterwards.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

/// How a run ended.
pub struct Ended {
    /// The status; nothing where a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    /// Most memory that was held at once, in MiB, and never less than this test held when it started the run; nothing where the system
    /// does not tell.
    pub peak: Option<u64>,
}

/// Address space and processor seconds after which the system itself ends a run.
const MOST_MEMORY: u64 = 2 << 30;
const MOST_SECONDS: u64 = 30;

/// Runs the program in `folder`; its home and its folder for temporary files are `elsewhere`.
pub fn pellucid(folder: &Path, elsewhere: &Path, arguments: &[&str]) -> Ended {
    let streams = tempfile::tempdir().unwrap();
    let file = |name: &str| streams.path().join(name);
    let mut command = Command::new(env!("CARGO_BIN_EXE_pellucid"));
    command.args(arguments).current_dir(folder).env("HOME", elsewhere).env("TMPDIR", elsewhere).env("RUST_BACKTRACE", "0");
    command.stdout(File::create(file("out")).unwrap()).stderr(File::create(file("err")).unwrap());
    let (code, peak) = run(&mut command);
    let read = |name: &str| String::from_utf8_lossy(&fs::read(file(name)).unwrap()).into_owned();
    Ended { code, stdout: read("out"), stderr: read("err"), peak }
}

#[cfg(target_os = "linux")]
#[allow(clippy::zombie_processes, reason = "wait4 waits, and tells the peak memory as well")]
fn run(command: &mut Command) -> (Option<i32>, Option<u64>) {
    use std::os::unix::process::{CommandExt, ExitStatusExt};
    let limit = |resource, most| {
        let bounds = libc::rlimit { rlim_cur: most, rlim_max: most };
        // SAFETY: setrlimit reads one rlimit, which outlives the call.
        if unsafe { libc::setrlimit(resource, &bounds) } == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
    };
    // SAFETY: between fork and exec only setrlimit is called, which takes no lock and allocates nothing.
    unsafe { command.pre_exec(move || limit(libc::RLIMIT_AS, MOST_MEMORY).and_then(|()| limit(libc::RLIMIT_CPU, MOST_SECONDS))) };
    let child = command.spawn().unwrap();
    let (mut status, mut usage) = (0, std::mem::MaybeUninit::<libc::rusage>::zeroed());
    // SAFETY: both pointers lead to values of the right type that outlive the call; the child is ours, and nobody else waits for it.
    let ended = unsafe { libc::wait4(child.id() as libc::pid_t, &mut status, 0, usage.as_mut_ptr()) };
    assert_eq!(ended, child.id() as libc::pid_t, "{}", std::io::Error::last_os_error());
    // SAFETY: all zeros are a valid rusage, and the call filled it in.
    let usage = unsafe { usage.assume_init() };
    (std::process::ExitStatus::from_raw(status).code(), Some(usage.ru_maxrss as u64 / 1024))
}

#[cfg(not(target_os = "linux"))]
fn run(command: &mut Command) -> (Option<i32>, Option<u64>) {
    (command.status().unwrap().code(), None)
}
