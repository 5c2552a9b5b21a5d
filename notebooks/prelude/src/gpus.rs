//! The CUDA devices of this machine, or why there are none.

use std::fmt;

use kernels::device::Cuda;
use xai::Device;

/// What a look for CUDA devices found. It shows itself in words: the devices by ordinal, or what is missing and what helps.
#[derive(Clone, PartialEq, Eq)]
pub struct Gpus(Cuda);

/// Looks for CUDA devices. Nothing is started on them.
///
/// ```
/// use pellucid::prelude::*;
/// let gpus = gpus();
/// assert_eq!(gpus.devices().first().copied(), gpus.first());
/// assert!(gpus.first().is_some() || format!("{gpus:?}").contains("no CUDA device"));
/// ```
pub fn gpus() -> Gpus {
    Gpus(Cuda::probe())
}

impl Gpus {
    /// All of them, by ordinal.
    pub fn devices(&self) -> Vec<Device> {
        match &self.0 {
            Cuda::Found { devices, .. } => (0..devices.len()).map(Device::Cuda).collect(),
            Cuda::NoDriver | Cuda::Broken(_) => Vec::new(),
        }
    }

    /// The first; none where there are none.
    pub fn first(&self) -> Option<Device> {
        self.devices().first().copied()
    }
}

impl fmt::Debug for Gpus {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let none = "no CUDA device: ";
        match &self.0 {
            Cuda::NoDriver => write!(
                f,
                "{none}NVIDIA's driver library (libcuda) is not on this machine. It comes with the driver, on a machine with an NVIDIA GPU; \
                 nothing else has to be installed."
            ),
            Cuda::Broken(reason) => write!(f, "{none}the driver does not start ({reason}). `nvidia-smi` in a terminal says more."),
            Cuda::Found { devices, .. } if devices.is_empty() => write!(f, "{none}there is a driver, but no GPU that it serves."),
            Cuda::Found { version, devices } => {
                write!(f, "driver for CUDA {}.{}", version / 1000, version % 1000 / 10)?;
                devices.iter().enumerate().try_for_each(|(ordinal, name)| write!(f, "\ncuda:{ordinal}  {name}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_is_told() {
        let found = Gpus(Cuda::Found { version: 12040, devices: vec!["One".into(), "Two".into()] });
        assert_eq!(format!("{found:?}"), "driver for CUDA 12.4\ncuda:0  One\ncuda:1  Two");
        assert_eq!((found.devices(), found.first()), (vec![Device::Cuda(0), Device::Cuda(1)], Some(Device::Cuda(0))));
        let broken = Gpus(Cuda::Broken("not initialised".into()));
        assert!(format!("{broken:?}").contains("(not initialised)") && broken.first().is_none());
        assert!(format!("{:?}", Gpus(Cuda::Found { version: 12040, devices: Vec::new() })).contains("no GPU"));
    }
}
