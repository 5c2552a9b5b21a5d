//! The first words between two processes, all of fixed length: nothing of a stranger's is read beyond them.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::collective::{Fault, MOST_RANKS, Place, Ranks, Refusal};

/// What both sides of a connection must speak.
const VERSION: u16 = 1;
const MAGIC: [u8; 8] = *b"PELLUCID";

/// What a process says when it connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hello {
    pub version: u16,
    /// Where others reach it.
    pub port: u16,
    pub world: u32,
    pub rank: u32,
    /// Of which run it is.
    pub run: u64,
    /// What rank 0 drew for this group; zero for whom it has not answered yet.
    pub session: u64,
}

/// What rank 0 answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// Everybody is there: the group's number, and where each rank listens.
    Welcome(u64, Vec<SocketAddr>),
    Refused(Refusal),
    /// These ranks never came.
    Missing(Vec<usize>),
}

const LENGTH: usize = 8 + 2 + 2 + 4 + 4 + 8 + 8;
const ENTRY: usize = 18;

impl Hello {
    pub fn of(place: &Place, port: u16, session: u64) -> Self {
        let run =
            place.meeting.run.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
        Self { version: VERSION, port, world: place.world as u32, rank: place.rank as u32, run, session }
    }

    pub fn write(&self, stream: &mut TcpStream) -> std::io::Result<()> {
        let Self { version, port, world, rank, run, session } = self;
        let mut bytes = MAGIC.to_vec();
        bytes.extend([version.to_le_bytes(), port.to_le_bytes()].concat());
        bytes.extend([world.to_le_bytes(), rank.to_le_bytes()].concat());
        bytes.extend([run.to_le_bytes(), session.to_le_bytes()].concat());
        stream.write_all(&bytes)
    }

    /// What somebody who connected says; nothing where that is no hello.
    pub fn read(stream: &mut TcpStream, until: Instant) -> Option<Self> {
        let bytes: [u8; LENGTH] = within(stream, until).ok()?;
        let (magic, rest) = bytes.split_at(8);
        let half = |at: usize| u16::from_le_bytes(std::array::from_fn(|byte| rest[at + byte]));
        let long = |at: usize| u64::from_le_bytes(std::array::from_fn(|byte| rest[at + byte]));
        let word = |at: usize| long(at) as u32;
        let hello = Self { version: half(0), port: half(2), world: word(4), rank: word(8), run: long(12), session: long(20) };
        (magic == MAGIC).then_some(hello)
    }

    /// Why rank 0 cannot take this one in, where `ours` is its own hello.
    pub fn refusal(&self, ours: &Self) -> Option<Refusal> {
        match self {
            _ if self.version != ours.version => Some(Refusal::Version(ours.version)),
            _ if self.run != ours.run => Some(Refusal::Job),
            _ if self.world != ours.world => Some(Refusal::World(ours.world as usize)),
            _ if self.rank == 0 || self.rank >= ours.world => Some(Refusal::Rank(self.rank as usize)),
            _ => None,
        }
    }
}

impl Answer {
    pub fn write(&self, stream: &mut TcpStream) -> std::io::Result<()> {
        let (code, number, count) = match self {
            Self::Welcome(session, entries) => (0, *session, entries.len()),
            Self::Missing(ranks) => (1, 0, ranks.len()),
            Self::Refused(Refusal::Version(ours)) => (2, u64::from(*ours), 0),
            Self::Refused(Refusal::World(ours)) => (3, *ours as u64, 0),
            Self::Refused(Refusal::Job) => (4, 0, 0),
            Self::Refused(Refusal::Rank(rank)) => (5, *rank as u64, 0),
        };
        let mut bytes = [&MAGIC[..], &[code], &u64::to_le_bytes(number), &(count as u32).to_le_bytes()].concat();
        match self {
            Self::Welcome(_, entries) => entries.iter().for_each(|entry| bytes.extend(encoded(*entry))),
            Self::Missing(ranks) => ranks.iter().for_each(|rank| bytes.extend(encoded(SocketAddr::from(([0; 4], *rank as u16))))),
            Self::Refused(_) => {}
        }
        stream.write_all(&bytes)
    }

    /// The answer of whoever listens at the meeting.
    pub fn read(stream: &mut TcpStream, address: &str, until: Instant, seconds: u64) -> Result<Self, Fault> {
        let stranger = || Fault::Stranger { address: address.into() };
        let broken = |error: std::io::Error| match error.kind() {
            ErrorKind::TimedOut => Fault::Silent { rank: 0, seconds },
            ErrorKind::UnexpectedEof => Fault::Lost { rank: 0, reason: "it closed the connection before all ranks were there".into() },
            _ => Fault::Lost { rank: 0, reason: error.to_string() },
        };
        let magic: [u8; 8] = within(stream, until).map_err(broken)?;
        if magic != MAGIC {
            return Err(stranger());
        }
        let head: [u8; 13] = within(stream, until).map_err(broken)?;
        let number = u64::from_le_bytes(std::array::from_fn(|byte| head[1 + byte]));
        let count = u32::from_le_bytes(std::array::from_fn(|byte| head[9 + byte])) as usize;
        if count > MOST_RANKS {
            return Err(stranger());
        }
        let entries = (0..count).map(|_| within::<ENTRY>(stream, until).map(decoded)).collect::<Result<Vec<_>, _>>().map_err(broken)?;
        match head[0] {
            0 => Ok(Self::Welcome(number, entries)),
            1 => Ok(Self::Missing(entries.iter().map(|entry| usize::from(entry.port())).collect())),
            2 => Ok(Self::Refused(Refusal::Version(number as u16))),
            3 => Ok(Self::Refused(Refusal::World(number as usize))),
            4 => Ok(Self::Refused(Refusal::Job)),
            5 => Ok(Self::Refused(Refusal::Rank(number as usize))),
            _ => Err(stranger()),
        }
    }

    /// The fault it is for whoever was answered; the welcome is none.
    pub fn welcomed(self, world: usize, seconds: u64) -> Result<(u64, Vec<SocketAddr>), Fault> {
        match self {
            Self::Welcome(session, entries) => Ok((session, entries)),
            Self::Refused(refusal) => Err(Fault::Refused(refusal)),
            Self::Missing(ranks) => Err(Fault::Missing { missing: Ranks(ranks), world, seconds }),
        }
    }
}

fn encoded(entry: SocketAddr) -> [u8; ENTRY] {
    let mut bytes = [0; ENTRY];
    let address = match entry.ip() {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    };
    bytes[..16].copy_from_slice(&address.octets());
    bytes[16..].copy_from_slice(&entry.port().to_le_bytes());
    bytes
}

fn decoded(bytes: [u8; ENTRY]) -> SocketAddr {
    let address = Ipv6Addr::from(<[u8; 16]>::try_from(&bytes[..16]).unwrap_or_default());
    SocketAddr::new(IpAddr::V6(address).to_canonical(), u16::from_le_bytes([bytes[16], bytes[17]]))
}

/// So many bytes, before it is too late.
fn within<const N: usize>(stream: &mut TcpStream, until: Instant) -> std::io::Result<[u8; N]> {
    let (mut bytes, mut filled) = ([0; N], 0);
    while filled < N {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left.min(Duration::from_millis(200))))?;
        match stream.read(&mut bytes[filled..]) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => filled += count,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(bytes)
}
