//! A connection between two ranks: frames of a kind, a turn, and a length that both know beforehand.
//!
//! ```text
//! kind u32 · turn u32 · length u32 · that many bytes        all numbers little-endian
//! ```

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::collective::Fault;

/// How long one system call waits before it looks whether there is still something to wait for.
const GLANCE: Duration = Duration::from_millis(50);

/// What a frame is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Kind {
    /// Parts of a sum on their way to the rank that adds them.
    Parts = 1,
    /// A sum on its way back.
    Sum = 2,
    /// Values of rank 0.
    Values = 3,
    /// Lengths of what follows.
    Lengths = 4,
    /// Bytes of each rank.
    Bytes = 5,
    /// The sender gives up because of a rank, whose number stands in the place of the turn.
    End = 6,
}

/// How long ranks wait for each other; one thread may shorten it for the other.
#[derive(Debug)]
pub(super) struct Wait {
    since: Instant,
    most: Duration,
    /// Milliseconds.
    left: AtomicU64,
}

impl Wait {
    pub fn of(patience: Duration) -> Self {
        Self { since: Instant::now(), most: patience, left: AtomicU64::new(u64::try_from(patience.as_millis()).unwrap_or(u64::MAX)) }
    }

    /// From now on there is only so much to wait.
    pub fn shorten(&self, to: Duration) {
        let until = self.since.elapsed() + to;
        self.left.fetch_min(u64::try_from(until.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn is_over(&self) -> bool {
        self.since.elapsed() >= Duration::from_millis(self.left.load(Ordering::Relaxed))
    }
}

/// A connection to a rank.
#[derive(Debug)]
pub(super) struct Wire {
    pub rank: usize,
    stream: TcpStream,
    /// No frame was left half sent.
    is_between_frames: AtomicBool,
}

impl Wire {
    pub fn new(rank: usize, stream: TcpStream) -> Result<Self, Fault> {
        let lost = |error: std::io::Error| Fault::Lost { rank, reason: error.to_string() };
        stream.set_nonblocking(false).map_err(lost)?;
        stream.set_nodelay(true).map_err(lost)?;
        stream.set_read_timeout(Some(GLANCE)).map_err(lost)?;
        stream.set_write_timeout(Some(GLANCE)).map_err(lost)?;
        Ok(Self { rank, stream, is_between_frames: AtomicBool::new(true) })
    }

    pub fn send(&self, kind: Kind, turn: u32, bytes: &[u8], wait: &Wait) -> Result<(), Fault> {
        self.is_between_frames.store(false, Ordering::Relaxed);
        self.write(&header(kind, turn, bytes.len()), wait)?;
        self.write(bytes, wait)?;
        self.is_between_frames.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Takes the frame that must come next.
    pub fn receive(&self, kind: Kind, turn: u32, into: &mut [u8], wait: &Wait) -> Result<(), Fault> {
        let expected = header(kind, turn, into.len());
        let mut found = [0; 12];
        self.read(&mut found, wait)?;
        if found != expected {
            return Err(self.other(expected, found));
        }
        self.read(into, wait)
    }

    /// What a header that does not fit means.
    fn other(&self, expected: [u8; 12], found: [u8; 12]) -> Fault {
        let [kind, rank, _] = numbers(found);
        if kind == Kind::End as u32 {
            let reason = format!("rank {} says so", self.rank);
            return Fault::Lost { rank: rank as usize, reason };
        }
        let words = |header| {
            let [kind, turn, length] = numbers(header);
            format!("{length} bytes of kind {kind} in turn {turn}")
        };
        Fault::Disagreement { rank: self.rank, expected: words(expected), found: words(found) }
    }

    /// Tells the other side that there is nothing to wait for, and who is to blame; what cannot be told shows when the connection ends.
    pub fn give_up(&self, blamed: usize) {
        if self.is_between_frames.load(Ordering::Relaxed) {
            let _ = (&self.stream).write(&header(Kind::End, blamed as u32, 0));
        }
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// The other side, if it is gone; looks and waits for nothing.
    #[cfg(unix)]
    pub fn lost(&self) -> Option<Fault> {
        use std::os::fd::AsRawFd;
        let mut byte = 0u8;
        // SAFETY: at most one byte is written to a live local, and the descriptor is open as long as the stream.
        let seen = unsafe { libc::recv(self.stream.as_raw_fd(), (&raw mut byte).cast(), 1, libc::MSG_PEEK | libc::MSG_DONTWAIT) };
        let moved = usize::try_from(seen).map_err(|_| std::io::Error::last_os_error());
        self.passed(moved, &Wait::of(Duration::MAX)).err()
    }

    /// Nothing is known here before something is sent.
    #[cfg(not(unix))]
    pub fn lost(&self) -> Option<Fault> {
        None
    }

    fn write(&self, mut bytes: &[u8], wait: &Wait) -> Result<(), Fault> {
        while !bytes.is_empty() {
            let count = self.passed((&self.stream).write(bytes), wait)?;
            bytes = &bytes[count..];
        }
        Ok(())
    }

    fn read(&self, bytes: &mut [u8], wait: &Wait) -> Result<(), Fault> {
        let mut filled = 0;
        while filled < bytes.len() {
            filled += self.passed((&self.stream).read(&mut bytes[filled..]), wait)?;
        }
        Ok(())
    }

    /// The bytes of one call; none where it shall be tried again.
    fn passed(&self, moved: std::io::Result<usize>, wait: &Wait) -> Result<usize, Fault> {
        let rank = self.rank;
        match moved {
            Ok(0) => Err(Fault::Lost { rank, reason: "it closed the connection".into() }),
            Ok(count) => Ok(count),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) => {
                if wait.is_over() { Err(Fault::Silent { rank, seconds: wait.most.as_secs() }) } else { Ok(0) }
            }
            Err(error) => Err(Fault::Lost { rank, reason: error.to_string() }),
        }
    }
}

fn header(kind: Kind, turn: u32, length: usize) -> [u8; 12] {
    let mut bytes = [0; 12];
    let numbers = [kind as u32, turn, length as u32];
    bytes.chunks_exact_mut(4).zip(numbers).for_each(|(place, number)| place.copy_from_slice(&number.to_le_bytes()));
    bytes
}

fn numbers(header: [u8; 12]) -> [u32; 3] {
    std::array::from_fn(|index| u32::from_le_bytes(std::array::from_fn(|byte| header[4 * index + byte])))
}
