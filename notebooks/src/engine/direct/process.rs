//! The process in which cells run, seen from the engine.

use std::io::{self, BufWriter, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::interrupts::Interrupts;
use crate::prebuilt::Prebuilt;

/// The word by which the program knows that it shall run cells.
pub const RUN_CELLS: &str = "run-cells";

/// Pieces of output that wait; a cell that prints faster than it is read is slowed down.
const WAITING: usize = 64;
const PIECE: usize = 64 << 10;

/// What comes from the process, in the order of each stream.
#[derive(Debug)]
pub enum Message {
    Stdout(Vec<u8>),
    Stderr(Vec<u8>),
    /// A stream was closed.
    Closed,
    /// The process is gone.
    Ended(ExitStatus),
}

/// The process; dropping it ends it.
pub struct Process {
    commands: Option<BufWriter<ChildStdin>>,
    messages: Receiver<Message>,
    /// Its id.
    pub id: u32,
}

impl Process {
    /// Starts `program` as the process of cells.
    ///
    /// # Errors
    ///
    /// Where it cannot be started.
    pub fn start(program: &Path, prebuilt: &Prebuilt, interrupts: &Arc<Interrupts>) -> io::Result<Self> {
        let mut command = Command::new(program);
        command.arg(RUN_CELLS).arg(&prebuilt.library).env("LD_LIBRARY_PATH", library_path(prebuilt)?);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut child = command.spawn()?;
        let (sender, messages) = sync_channel(WAITING);
        let commands = child.stdin.take().map(BufWriter::new);
        if let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) {
            read("stdout", stdout, sender.clone(), Message::Stdout)?;
            read("stderr", stderr, sender.clone(), Message::Stderr)?;
        }
        let id = child.id();
        let interrupts = Arc::clone(interrupts);
        thread::Builder::new().name("cells".to_owned()).spawn(move || wait(child, &interrupts, &sender))?;
        Ok(Self { commands, messages, id })
    }

    /// Sends a command.
    ///
    /// # Errors
    ///
    /// Where the process is gone.
    pub fn send(&mut self, command: &Value) -> io::Result<()> {
        let commands = self.commands.as_mut().ok_or_else(|| io::Error::from(io::ErrorKind::BrokenPipe))?;
        writeln!(commands, "{command}")?;
        commands.flush()
    }

    /// The next message, where one comes in time.
    pub fn next(&self, time: Duration) -> Option<Message> {
        match self.messages.recv_timeout(time) {
            Ok(message) => Some(message),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Message::Closed),
        }
    }
}

/// How a process ended, in words.
pub fn cause(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("it exited with code {code}"),
        (None, Some(libc::SIGSEGV)) => "it touched memory that is not its own (SIGSEGV)".to_owned(),
        (None, Some(libc::SIGABRT)) => "it aborted (SIGABRT), which a stack overflow does too".to_owned(),
        (None, Some(libc::SIGKILL)) => "it was killed (SIGKILL): by a second interrupt, or because memory ran out".to_owned(),
        (None, Some(signal)) => format!("signal {signal} ended it"),
        (None, None) => "its end is not known".to_owned(),
    }
}

/// The loader finds the standard library beside the compiler, and the prebuilt one where it was built.
fn library_path(prebuilt: &Prebuilt) -> io::Result<std::ffi::OsString> {
    let own = prebuilt.library.parent().into_iter().map(Path::to_path_buf);
    let before = std::env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
    let before = std::env::split_paths(&before).filter(|path| !path.as_os_str().is_empty());
    std::env::join_paths(std::iter::once(prebuilt.target_libdir.clone()).chain(own).chain(before)).map_err(io::Error::other)
}

fn read(name: &str, mut stream: impl Read + Send + 'static, sender: SyncSender<Message>, make: fn(Vec<u8>) -> Message) -> io::Result<()> {
    let reader = move || {
        let mut piece = vec![0; PIECE];
        loop {
            match stream.read(&mut piece) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(length) if length > 0 => {
                    if sender.send(make(piece[..length].to_vec())).is_err() {
                        return;
                    }
                }
                _ => break,
            }
        }
        // The engine may have let go of this process already.
        let _ = sender.send(Message::Closed);
    };
    thread::Builder::new().name(name.to_owned()).spawn(reader).map(drop)
}

/// Waits for the end; the id is given up by [`Interrupts`] before the system may give it to another process.
fn wait(mut child: Child, interrupts: &Interrupts, sender: &SyncSender<Message>) {
    let id = child.id();
    // SAFETY: `info` is plain data that the call fills, zero is valid for it, and it outlives the call.
    unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        while libc::waitid(libc::P_PID, id, &mut info, libc::WEXITED | libc::WNOWAIT) != 0
            && io::Error::last_os_error().kind() == io::ErrorKind::Interrupted
        {}
    }
    interrupts.gone(id);
    if let Ok(status) = child.wait() {
        let _ = sender.send(Message::Ended(status));
    }
}
