//! What can go wrong with a device.

/// Why a device does not do what it was asked for; each says what helps.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// No driver library on this machine.
    #[error("no CUDA driver library was found; install NVIDIA's driver, or use the CPU")]
    NoDriver,

    /// The driver is there and does not start.
    #[error("the CUDA driver does not start ({0}); see `pellucid doctor`, or use the CPU")]
    Broken(String),

    /// A device that does not exist.
    #[error("there is no CUDA device {ordinal}: the driver knows {count}; name one of them, or use the CPU")]
    NoDevice {
        /// The one asked for.
        ordinal: usize,
        /// How many there are.
        count: usize,
    },

    /// A driver that cannot load what the kernels were compiled to.
    #[error("the driver serves CUDA {}.{}, the kernels need 12.2 (driver R535) or later; update the driver, or use the CPU", version / 1000, version % 1000 / 10)]
    OldDriver {
        /// What it serves, as 1000·major + 10·minor.
        version: i32,
    },

    /// An architecture for which nothing was compiled.
    #[error("there is no module {module} for sm_{capability}; devices from sm_70 on are served, bf16 from sm_80 on")]
    NoModule {
        /// The module.
        module: String,
        /// The device's architecture.
        capability: u32,
    },

    /// Memory ran out.
    #[error("the device has no {wanted} bytes left ({free} are free); use a smaller batch, or another device")]
    OutOfMemory {
        /// What was asked for.
        wanted: usize,
        /// What is free.
        free: usize,
    },

    /// The device stopped, and everything on it is gone.
    #[error("the device stopped working ({0}); what was on it is lost: start the program again, and look at `nvidia-smi`")]
    Lost(String),

    /// Anything else the driver refused.
    #[error("{what} was refused by the driver ({reason})")]
    Refused {
        /// What was tried.
        what: String,
        /// The driver's own words.
        reason: String,
    },

    /// Something that the kernels are not made for.
    #[error("{0}")]
    Unsupported(String),
}
