//! A group over TCP, on the processor.
//!
//! Values are cut into blocks, a block into one range for each rank. Every rank sends its values of range q to rank q; rank q adds what
//! came in the order of ranks and sends the sum to all. So every value travels twice, whatever the number of ranks, and memory beyond
//! the values is one block. In step s a rank sends to the rank s further and receives from the rank s before, in two threads.

mod door;
mod hello;
mod meeting;
mod wire;

use std::ops::Range;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::{Fault, Patience, Place};
use crate::cuda::{as_bytes, as_bytes_mut};
use wire::{Kind, Wait, Wire};

/// Values of one frame at most.
const PIECE: usize = 1 << 18;
/// How long a rank listens on when it cannot send any more: somebody may say who is to blame.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// Bytes that a rank may give to all.
const MOST_BYTES: usize = 1 << 20;

/// Ranks that are connected to each other.
#[derive(Debug)]
pub struct Sockets {
    rank: usize,
    wires: Vec<Option<Wire>>,
    patience: Patience,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Counts what ranks did together, so that those that do not do the same find out.
    turn: u32,
    /// What ended the group.
    broken: Option<Fault>,
}

impl Sockets {
    /// Meets the other ranks; returns when all are there.
    ///
    /// # Errors
    /// [`Fault::NoMeeting`], [`Fault::Unreached`], [`Fault::Missing`], [`Fault::Stranger`], [`Fault::Refused`], [`Fault::OtherWorld`],
    /// and [`Fault::Lost`].
    pub fn join(place: &Place, patience: Patience) -> Result<Self, Fault> {
        let streams = meeting::meet(place, patience)?;
        let wire = |(rank, stream): (usize, Option<_>)| stream.map(|stream| Wire::new(rank, stream)).transpose();
        let wires = streams.into_iter().enumerate().map(wire).collect::<Result<_, _>>()?;
        let group = Self { rank: place.rank, wires, patience, state: Mutex::default() };
        group.gather(&[]).map(|_| group)
    }

    /// This process's number.
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// How many processes there are.
    pub fn world(&self) -> usize {
        self.wires.len()
    }

    /// See [`Group::all_reduce_sum`](super::Group::all_reduce_sum).
    pub(super) fn all_reduce_sum(&self, values: &mut [f32]) -> Result<(), Fault> {
        self.together(|turn| {
            let mut blocks = values.chunks_mut(self.world() * PIECE);
            blocks.try_for_each(|block| self.sum(turn, block))
        })
    }

    /// See [`Group::broadcast`](super::Group::broadcast).
    pub(super) fn broadcast(&self, values: &mut [f32]) -> Result<(), Fault> {
        self.together(|turn| {
            let wait = Wait::of(self.patience.answering);
            for piece in values.chunks_mut(PIECE) {
                match &self.wires[0] {
                    Some(zero) => zero.receive(Kind::Values, turn, as_bytes_mut(piece), &wait)?,
                    None => self.wires.iter().flatten().try_for_each(|wire| wire.send(Kind::Values, turn, as_bytes(piece), &wait))?,
                }
            }
            Ok(())
        })
    }

    /// See [`Group::lost`](super::Group::lost).
    pub(super) fn lost(&self) -> Option<Fault> {
        self.wires.iter().flatten().find_map(Wire::lost)
    }

    /// See [`Group::gather`](super::Group::gather).
    pub(super) fn gather(&self, bytes: &[u8]) -> Result<Vec<Vec<u8>>, Fault> {
        fits(self.rank, bytes.len())?;
        self.together(|turn| {
            let mut lengths = vec![[0; 4]; self.world()];
            lengths[self.rank] = (bytes.len() as u32).to_le_bytes();
            let own = lengths[self.rank];
            self.exchange((Kind::Lengths, turn), |_| &own, lengths.iter_mut().map(|length| &mut length[..]).collect())?;
            let lengths: Vec<usize> = lengths.iter().map(|length| u32::from_le_bytes(*length) as usize).collect();
            lengths.iter().enumerate().try_for_each(|(rank, length)| fits(rank, *length))?;
            let mut all: Vec<Vec<u8>> = lengths.iter().map(|length| vec![0; *length]).collect();
            all[self.rank].copy_from_slice(bytes);
            self.exchange((Kind::Bytes, turn), |_| bytes, all.iter_mut().map(|one| &mut one[..]).collect())?;
            Ok(all)
        })
    }

    /// One turn of all ranks. What goes wrong ends the group: who waits for this rank is told who is to blame.
    fn together<T>(&self, work: impl FnOnce(u32) -> Result<T, Fault>) -> Result<T, Fault> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(fault) = &state.broken {
            return Err(fault.clone());
        }
        state.turn = state.turn.wrapping_add(1);
        work(state.turn).inspect_err(|fault| {
            let blamed = match fault {
                Fault::Lost { rank, .. } | Fault::Silent { rank, .. } => *rank,
                _ => self.rank,
            };
            self.wires.iter().flatten().for_each(|wire| wire.give_up(blamed));
            state.broken = Some(fault.clone());
        })
    }

    /// The sum of a block over all ranks.
    fn sum(&self, turn: u32, block: &mut [f32]) -> Result<(), Fault> {
        let share = |rank: usize| share(block.len(), rank, self.world());
        let shares: Vec<Range<usize>> = (0..self.world()).map(share).collect();
        let own = shares[self.rank].clone();
        let mut parts: Vec<Vec<f32>> = vec![vec![0.0; own.len()]; self.world()];
        let incoming = parts.iter_mut().map(|part| as_bytes_mut(part)).collect();
        self.exchange((Kind::Parts, turn), |peer| as_bytes(&block[shares[peer].clone()]), incoming)?;
        parts[self.rank].copy_from_slice(&block[own.clone()]);
        let sum = added(parts);
        block[own].copy_from_slice(&sum);
        let incoming = pieces(block, &shares).into_iter().map(as_bytes_mut).collect();
        self.exchange((Kind::Sum, turn), |_| as_bytes(&sum), incoming)
    }

    /// Sends to every other rank and receives from every other rank what is expected of it.
    fn exchange<'a>(
        &self,
        (kind, turn): (Kind, u32),
        outgoing: impl Fn(usize) -> &'a [u8] + Sync,
        mut incoming: Vec<&mut [u8]>,
    ) -> Result<(), Fault> {
        let (world, wait) = (self.world(), Wait::of(self.patience.answering));
        let wire = |rank: usize| self.wires[rank].as_ref().filter(|_| rank != self.rank);
        let send = || {
            let ranks = (1..world).map(|step| (self.rank + step) % world);
            ranks
                .filter_map(wire)
                .try_for_each(|wire| wire.send(kind, turn, outgoing(wire.rank), &wait))
                .inspect_err(|_| wait.shorten(LAST_WORDS))
        };
        std::thread::scope(|scope| {
            let sent = scope.spawn(send);
            let ranks = (1..world).map(|step| (self.rank + world - step) % world);
            let received = ranks.filter_map(wire).try_for_each(|wire| wire.receive(kind, turn, incoming[wire.rank], &wait));
            let received = received.inspect_err(|_| wait.shorten(Duration::ZERO));
            let sent = sent.join().unwrap_or(Ok(()));
            match (sent, received) {
                // Who gave up because of the other thread knows less.
                (Err(sent), Err(Fault::Silent { .. })) => Err(sent),
                (sent, received) => received.and(sent),
            }
        })
    }
}

fn fits(rank: usize, length: usize) -> Result<(), Fault> {
    let (expected, found) = (format!("at most {MOST_BYTES} bytes"), format!("{length} bytes"));
    if length <= MOST_BYTES { Ok(()) } else { Err(Fault::Disagreement { rank, expected, found }) }
}

/// The range of a block that a rank adds.
fn share(length: usize, rank: usize, world: usize) -> Range<usize> {
    length * rank / world..length * (rank + 1) / world
}

/// `((x₀ + x₁) + x₂) + …`, value by value.
fn added(parts: Vec<Vec<f32>>) -> Vec<f32> {
    let mut parts = parts.into_iter();
    let mut sum = parts.next().unwrap_or_default();
    for part in parts {
        sum.iter_mut().zip(part).for_each(|(sum, value)| *sum += value);
    }
    sum
}

/// A block in its ranks' ranges.
fn pieces<'a>(mut block: &'a mut [f32], shares: &[Range<usize>]) -> Vec<&'a mut [f32]> {
    let mut pieces = Vec::with_capacity(shares.len());
    for share in shares {
        let (piece, rest) = block.split_at_mut(share.len());
        pieces.push(piece);
        block = rest;
    }
    pieces
}
