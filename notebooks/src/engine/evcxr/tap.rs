//! Stands between evcxr and the process that runs cells, and tells what passes.

use std::io::{Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use super::record::Record;
use crate::engine::Event;
use crate::engine::frames::Frames;

/// Set where this program is to be the tap.
pub const TAP: &str = "PELLUCID_TAP";
const PANICKED: &str = "EVCXR_PANIC_NOTIFICATION";
const FAILED: &str = "EVCXR_ERROR_OCCURRED";
/// Lines by which evcxr's cells speak with evcxr; all others are the user's.
const EVCXR: [&str; 5] = ["EVCXR_EXECUTION_COMPLETE", PANICKED, FAILED, "EVCXR_VARIABLE_CHANGED_TYPE:", "EVCXR_INPUT_REQUEST:"];

/// Runs until the process with the cells has ended, and ends as it did.
///
/// # Errors
/// When that process does not start or a pipe breaks.
pub fn tap() -> std::io::Result<i32> {
    let mut runtime = start()?;
    let number = i32::try_from(runtime.id()).unwrap_or_default();
    let mut told = Told { out: std::io::stdout(), frames: Frames::default(), line: Vec::new(), process: Some(number) };
    let (mut stdout, mut stderr) = (runtime.stdout.take(), runtime.stderr.take());
    let mut buffer = vec![0; 64 << 10];
    while let Some(out) = &mut stdout {
        wait(&[out.as_raw_fd(), number_of(stderr.as_ref())], FOR_EVER)?;
        let read = if wait(&[out.as_raw_fd()], AT_ONCE)? { Some(out.read(&mut buffer)?) } else { None };
        // What a cell wrote on standard error before its end is told before its end.
        while let Some(pipe) = stderr.as_mut().filter(|pipe| wait(&[pipe.as_raw_fd()], AT_ONCE).unwrap_or(false)) {
            let mut text = [0; 16 << 10];
            match pipe.read(&mut text)? {
                0 => stderr = None,
                read => told.event(Event::Stderr(String::from_utf8_lossy(&text[..read]).into_owned()))?,
            }
        }
        match read {
            Some(0) => stdout = None,
            Some(read) => told.bytes(&buffer[..read])?,
            None => {}
        }
    }
    told.text_ends()?;
    Ok(runtime.wait()?.code().unwrap_or(1))
}

fn start() -> std::io::Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(std::env::args_os().skip(1)).env_remove(TAP).stdin(Stdio::inherit()).stdout(Stdio::piped()).stderr(Stdio::piped());
    #[cfg(target_os = "linux")]
    // SAFETY: between fork and exec only prctl is called, which is a system call and takes no lock.
    unsafe {
        // evcxr ends the tap, not what stands behind it.
        command.pre_exec(|| {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            Ok(())
        });
    }
    #[cfg(not(target_os = "linux"))]
    let _: &mut dyn CommandExt = &mut command;
    command.spawn()
}

const AT_ONCE: i32 = 0;
const FOR_EVER: i32 = -1;

/// A number that poll leaves out where the pipe has ended.
fn number_of(pipe: Option<&impl AsRawFd>) -> RawFd {
    pipe.map_or(-1, AsRawFd::as_raw_fd)
}

/// Waits until one of the files has something or has ended; true where one has.
fn wait(files: &[RawFd], milliseconds: i32) -> std::io::Result<bool> {
    let mut entries: Vec<_> = files.iter().map(|&fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 }).collect();
    loop {
        // SAFETY: 1. The pointer and the count are those of an array that lives through the call. 2. The files are open: their
        // owners are borrowed by the caller.
        let found = unsafe { libc::poll(entries.as_mut_ptr(), entries.len() as libc::nfds_t, milliseconds) };
        if found >= 0 {
            return Ok(found > 0);
        }
        let error = std::io::Error::last_os_error();
        if error.kind() != std::io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

/// What is told, and what has still to become a line.
struct Told<W> {
    out: W,
    frames: Frames,
    line: Vec<u8>,
    /// The process with the cells, until that is told. The first cell is none of the user's: evcxr runs it while it starts, when
    /// nobody listens yet, and it waits for ever for anything told then to be heard.
    process: Option<i32>,
}

impl<W: Write> Told<W> {
    fn bytes(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        for part in bytes.split_inclusive(|&byte| byte == b'\n') {
            self.line.extend_from_slice(part);
            if part.ends_with(b"\n") {
                let line = std::mem::take(&mut self.line);
                self.whole_line(&line)?;
            } else if !begins_a_marker(&self.line) {
                // Text that will be seen before its newline.
                let line = std::mem::take(&mut self.line);
                self.text(&line)?;
            }
        }
        Ok(())
    }

    fn whole_line(&mut self, line: &[u8]) -> std::io::Result<()> {
        let text = String::from_utf8_lossy(line);
        let marker = EVCXR.iter().find_map(|marker| text.find(marker).filter(|&at| belongs_to_evcxr(&text[at..], marker)));
        let Some(at) = marker else { return self.text(line) };
        self.text(&line[..at.min(line.len())])?;
        let marker = text[at..].trim_end();
        match marker {
            PANICKED => self.record(&Record::Panicked)?,
            FAILED => self.record(&Record::Failed)?,
            _ => {}
        }
        self.text_ends()?;
        writeln!(self.out, "{marker}")?;
        if let Some(number) = self.process.take_if(|_| marker == EVCXR[0]) {
            self.record(&Record::Process(number))?;
        }
        self.out.flush()
    }

    fn text(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        let events = self.frames.feed(bytes);
        events.into_iter().try_for_each(|event| self.event(event))
    }

    fn text_ends(&mut self) -> std::io::Result<()> {
        let line = std::mem::take(&mut self.line);
        self.text(&line)?;
        let events = self.frames.finish();
        events.into_iter().try_for_each(|event| self.event(event))
    }

    fn event(&mut self, event: Event) -> std::io::Result<()> {
        self.record(&Record::Event(event))
    }

    fn record(&mut self, record: &Record) -> std::io::Result<()> {
        if self.process.is_some() {
            return Ok(());
        }
        writeln!(self.out, "{}", record.write())?;
        self.out.flush()
    }
}

/// True where a line that is not finished may become one of evcxr's.
fn begins_a_marker(line: &[u8]) -> bool {
    EVCXR.iter().any(|marker| marker.as_bytes().starts_with(line) || line.starts_with(marker.as_bytes()))
}

/// A marker with a colon has something behind it; the others end their line.
fn belongs_to_evcxr(rest: &str, marker: &str) -> bool {
    marker.ends_with(':') || rest.trim_end() == marker
}
