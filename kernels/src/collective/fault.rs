//! What can go wrong between processes.

use std::fmt;

/// Why processes do not work together; each says what helps.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// A variable of the environment that the others need beside them.
    #[error("{found} is set and {name} is not; set {name} to {meaning}, or {otherwise}")]
    Unset {
        /// What is missing.
        name: &'static str,
        /// What is there.
        found: &'static str,
        /// What it has to say.
        meaning: &'static str,
        /// The other way out.
        otherwise: &'static str,
    },

    /// A variable that cannot be read.
    #[error("{name}={value} is not {expected}; correct it, or unset it and start one process")]
    Misread {
        /// The variable.
        name: &'static str,
        /// What it says, cut where it is long.
        value: String,
        /// What it should say.
        expected: &'static str,
    },

    /// Two variables that cannot both be true.
    #[error("{name}={value} does not fit {other}={count}: ranks are counted from 0 to one below their number; correct one of them")]
    Contradiction {
        /// The variable.
        name: &'static str,
        /// What it says.
        value: usize,
        /// What contradicts it.
        other: &'static str,
        /// What that says.
        count: usize,
    },

    /// Rank 0 cannot listen where the others look for it.
    #[error(
        "rank 0 cannot listen at {address} ({reason}); set MASTER_ADDR to a name of rank 0's machine, and MASTER_PORT or PELLUCID_PORT to a free port, alike for all ranks"
    )]
    NoMeeting {
        /// Where.
        address: String,
        /// The system's words.
        reason: String,
    },

    /// Rank 0 is not where this rank looks for it.
    #[error(
        "rank 0 was not reached at {address} within {seconds} s ({reason}); start it, and see that MASTER_ADDR and the port are alike for all ranks and that no firewall stands between"
    )]
    Unreached {
        /// Where.
        address: String,
        /// How long was tried.
        seconds: u64,
        /// The system's words.
        reason: String,
    },

    /// Something else listens where rank 0 should.
    #[error(
        "what listens at {address} is not rank 0 of this program; set MASTER_PORT or PELLUCID_PORT to a free port, alike for all ranks"
    )]
    Stranger {
        /// Where.
        address: String,
    },

    /// Ranks that never came.
    #[error("ranks {missing} of {world} did not come within {seconds} s; start them, or look at what ended them")]
    Missing {
        /// Who.
        missing: Ranks,
        /// How many there should be.
        world: usize,
        /// How long the others waited.
        seconds: u64,
    },

    /// Rank 0 does not take this process in.
    #[error("this process was refused: {0}")]
    Refused(Refusal),

    /// A rank that counts the processes differently.
    #[error("rank {rank} was started for {theirs} ranks, this one for {ours}; give all the same WORLD_SIZE")]
    OtherWorld {
        /// Who.
        rank: usize,
        /// Its number of ranks.
        theirs: usize,
        /// This rank's.
        ours: usize,
    },

    /// A rank that ended, or whose connection did.
    #[error("rank {rank} is lost ({reason}); the sums of all ranks need it: look at its own message, and start all ranks again")]
    Lost {
        /// Who.
        rank: usize,
        /// How it showed.
        reason: String,
    },

    /// A rank that is there and does not answer.
    #[error("rank {rank} did not answer within {seconds} s; see what holds it up, or set PELLUCID_GROUP_SECONDS to wait longer")]
    Silent {
        /// Who.
        rank: usize,
        /// How long this rank waited.
        seconds: u64,
    },

    /// Ranks that do not do the same.
    #[error("rank {rank} sent {found} where this rank expected {expected}; all ranks must run the same program with the same settings")]
    Disagreement {
        /// Who.
        rank: usize,
        /// What this rank does.
        expected: String,
        /// What came.
        found: String,
    },

    /// A gradient that is not handed over as it was announced.
    #[error("the range {name} of the gradient {what}; every range is to be finished once, with the values it was announced with")]
    Range {
        /// Which.
        name: String,
        /// What is wrong with it.
        what: String,
    },

    /// NCCL is not there, or not to be used.
    #[error(
        "NCCL was not found ({0}); install it (`pip install nvidia-nccl-cu12`), or name libnccl.so.2 in PELLUCID_NCCL; without it sums go through the processor"
    )]
    NoNccl(String),

    /// NCCL refused something.
    #[error("{what} was refused by NCCL ({reason}); NCCL_DEBUG=INFO says more")]
    Nccl {
        /// What was tried.
        what: &'static str,
        /// Its own words.
        reason: String,
    },

    /// The device beneath it stopped.
    #[error(transparent)]
    Device(#[from] crate::cuda::Fault),
}

/// Why rank 0 refuses a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Another version of this program.
    #[error("rank 0 is of another version of this program (it speaks version {0}); run the same everywhere")]
    Version(u16),
    /// Another number of ranks.
    #[error("rank 0 was started for {0} ranks; give all the same WORLD_SIZE")]
    World(usize),
    /// Another run that uses the same port.
    #[error("rank 0 belongs to another run; choose another port, or wait for that run")]
    Job,
    /// A rank that is there already, or that cannot be.
    #[error("rank {0} is already there, or is none; give each process a RANK of its own")]
    Rank(usize),
}

/// Numbers of ranks, written so that people can read them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranks(pub Vec<usize>);

impl fmt::Display for Ranks {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        const SHOWN: usize = 8;
        let shown: Vec<String> = self.0.iter().take(SHOWN).map(usize::to_string).collect();
        let more = self.0.len().saturating_sub(SHOWN);
        write!(f, "{}{}", shown.join(", "), if more > 0 { format!(" and {more} more") } else { String::new() })
    }
}
