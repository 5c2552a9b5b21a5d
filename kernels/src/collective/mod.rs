//! Sums over processes: what training on several devices needs of the others.
//!
//! A [`Place`] says which of how many processes this one is ([`launcher`]: torchrun, Slurm, or nobody), a [`Group`] works with the
//! others, [`Buckets`] sum a gradient while the rest of it is still being computed, and a [`cuda::Communicator`] does so on devices.
//!
//! # The order of sums
//!
//! With `x_r` for rank r's values, [`Group::all_reduce_sum`] leaves with every rank
//!
//! ```text
//! s[i] = ((x_0[i] + x_1[i]) + x_2[i]) + … + x_{world−1}[i]          in f32, in the order of ranks, for every i
//! ```
//!
//! whatever the length, the position of i, or how a gradient is cut into buckets. So sums have the same bits on every rank and in every
//! run, and the bits of one process that adds the same parts in that order. NCCL adds in an order of its own.
//!
//! # Faults
//!
//! A rank that ends, or that does not answer within [`Patience::answering`], is a [`Fault`] with its number on every other rank; the
//! group is then over, and every later call answers the same. Ranks that do not do the same (another length, another call) find out.
//! Who connects without being of the group is sent away; the protocol is not encrypted and trusts whoever knows it, so the port belongs
//! into a network that strangers do not reach.

mod buckets;
mod cpu;
pub mod cuda;
mod fault;
mod hosts;
pub mod launcher;
mod plan;

use std::time::Duration;

pub use buckets::{BUCKET, Buckets};
pub use cpu::Sockets;
pub use fault::{Fault, Ranks, Refusal};
pub use launcher::{Meeting, Place};
pub use plan::Named;

/// Processes of a group, at most.
pub const MOST_RANKS: usize = 1024;

/// How long ranks wait for each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Until all are there.
    pub joining: Duration,
    /// Until one that is there does its part of what all do together.
    pub answering: Duration,
}

impl Default for Patience {
    /// Five and thirty minutes: ranks of a job may start minutes apart, and one may choose by its validation part while others wait.
    fn default() -> Self {
        Self { joining: Duration::from_secs(300), answering: Duration::from_secs(1800) }
    }
}

impl Patience {
    /// Both as `PELLUCID_GROUP_SECONDS` says, the default where it is not set.
    ///
    /// # Errors
    /// [`Fault::Misread`].
    pub fn of_environment() -> Result<Self, Fault> {
        let name = "PELLUCID_GROUP_SECONDS";
        let Some(value) = std::env::var_os(name).filter(|value| !value.is_empty()) else { return Ok(Self::default()) };
        let value = value.to_string_lossy();
        let seconds = value.parse().ok().filter(|seconds| (1..=86400).contains(seconds)).map(Duration::from_secs);
        let misread = || Fault::Misread {
            name,
            value: value.chars().take(60).flat_map(char::escape_default).collect(),
            expected: "a number of seconds from 1 to 86400",
        };
        seconds.map(|seconds| Self { joining: seconds, answering: seconds }).ok_or_else(misread)
    }
}

/// Processes that work together, as one of them sees them. What is called must be called by all of them, in the same order.
///
/// ```
/// use kernels::collective::{Group, Patience, Place};
/// let group = Group::join(&Place::alone(), Patience::default())?;
/// let mut values = [1.0, 2.0];
/// group.all_reduce_sum(&mut values)?;
/// assert_eq!((group.world(), values), (1, [1.0, 2.0]));
/// # Ok::<(), kernels::collective::Fault>(())
/// ```
#[derive(Debug)]
pub enum Group {
    /// One process.
    Alone,
    /// Processes that are connected by TCP.
    Sockets(Sockets),
}

impl Group {
    /// Meets the others that `place` counts; returns when all are there.
    ///
    /// # Errors
    /// As for [`Sockets::join`].
    pub fn join(place: &Place, patience: Patience) -> Result<Self, Fault> {
        if place.world <= 1 {
            return Ok(Self::Alone);
        }
        Sockets::join(place, patience).map(Self::Sockets)
    }

    /// This process's number.
    pub fn rank(&self) -> usize {
        match self {
            Self::Alone => 0,
            Self::Sockets(sockets) => sockets.rank(),
        }
    }

    /// How many processes there are.
    pub fn world(&self) -> usize {
        match self {
            Self::Alone => 1,
            Self::Sockets(sockets) => sockets.world(),
        }
    }

    /// The sum over ranks, in their order (see [above](self#the-order-of-sums)), in the place of every rank's values.
    ///
    /// # Errors
    /// [`Fault::Lost`], [`Fault::Silent`] and [`Fault::Disagreement`], as for all that follow; the values are then of no use.
    pub fn all_reduce_sum(&self, values: &mut [f32]) -> Result<(), Fault> {
        match self {
            Self::Alone => Ok(()),
            Self::Sockets(sockets) => sockets.all_reduce_sum(values),
        }
    }

    /// Rank 0's values in the place of every other rank's.
    ///
    /// # Errors
    /// As for [`Group::all_reduce_sum`].
    pub fn broadcast(&self, values: &mut [f32]) -> Result<(), Fault> {
        match self {
            Self::Alone => Ok(()),
            Self::Sockets(sockets) => sockets.broadcast(values),
        }
    }

    /// What each rank gives, by rank, up to 1 MiB of each.
    ///
    /// # Errors
    /// As for [`Group::all_reduce_sum`].
    pub fn gather(&self, bytes: &[u8]) -> Result<Vec<Vec<u8>>, Fault> {
        match self {
            Self::Alone => Ok(vec![bytes.to_vec()]),
            Self::Sockets(sockets) => sockets.gather(bytes),
        }
    }

    /// A rank whose connection has ended, if there is one; waits for nothing.
    pub fn lost(&self) -> Option<Fault> {
        match self {
            Self::Alone => None,
            Self::Sockets(sockets) => sockets.lost(),
        }
    }

    /// Returns when all ranks have come here.
    ///
    /// # Errors
    /// As for [`Group::all_reduce_sum`].
    pub fn barrier(&self) -> Result<(), Fault> {
        self.gather(&[]).map(|_| ())
    }
}
