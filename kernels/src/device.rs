//! Where kernels run, and what was found there.

use std::fmt;
use std::panic::catch_unwind;
use std::str::FromStr;

use crate::Error;
use crate::cuda::driver::{COMPILED_BY, extents};
use crate::cuda::{Fault, Storage, modules};

/// A place that computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Device {
    /// The processor, all its cores.
    Cpu,
    /// A CUDA device by its ordinal.
    Cuda(usize),
}

impl Device {
    /// The fastest place there is: the first CUDA device, the CPU where none is found.
    ///
    /// ```
    /// assert!(kernels::Device::best().require().is_ok());
    /// ```
    pub fn best() -> Self {
        let first = Self::Cuda(0);
        if first.require().is_ok() { first } else { Self::Cpu }
    }

    /// An error that says why, when this device cannot compute.
    ///
    /// # Errors
    /// [`Error::Cuda`].
    pub fn require(self) -> Result<(), Error> {
        match self {
            Self::Cpu => Ok(()),
            Self::Cuda(ordinal) => Cuda::probe().serves(ordinal).map_err(|fault| Error::Cuda { ordinal, fault }),
        }
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(ordinal) => write!(f, "cuda:{ordinal}"),
        }
    }
}

impl FromStr for Device {
    type Err = UnknownDevice;

    /// ```
    /// use kernels::Device;
    /// assert_eq!(["cpu", "cuda", "cuda:3"].map(str::parse), [Ok(Device::Cpu), Ok(Device::Cuda(0)), Ok(Device::Cuda(3))]);
    /// assert!("gpu".parse::<Device>().is_err());
    /// ```
    fn from_str(text: &str) -> Result<Self, UnknownDevice> {
        match text {
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda(0)),
            _ => {
                let ordinal = text.strip_prefix("cuda:").and_then(|ordinal| ordinal.parse().ok());
                ordinal.map(Self::Cuda).ok_or_else(|| UnknownDevice(text.into()))
            }
        }
    }
}

/// A text that names no device.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no device: write cpu, cuda, or cuda:N for the device of ordinal N")]
pub struct UnknownDevice(String);

/// What a look for CUDA found; the driver is opened at run time, so a machine without one loses nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cuda {
    /// No driver library.
    NoDriver,
    /// A driver that would not start.
    Broken(String),
    /// A driver with these devices.
    Found {
        /// Highest CUDA version the driver serves, as 1000·major + 10·minor.
        version: i32,
        /// Names of the devices, by ordinal.
        devices: Vec<String>,
    },
}

impl Cuda {
    /// Looks for the driver and its devices.
    pub fn probe() -> Self {
        // SAFETY: loads the system's CUDA driver library, whose initialisers are the vendor's; nothing is called in it.
        if !unsafe { cudarc::driver::sys::is_culib_present() } {
            return Self::NoDriver;
        }
        // cudarc panics on a library that lacks symbols; a broken driver must not end the program.
        catch_unwind(devices).unwrap_or_else(|_| Err("the driver library lacks symbols".into())).unwrap_or_else(Self::Broken)
    }

    /// Whether device `ordinal` can be used.
    fn serves(&self, ordinal: usize) -> Result<(), Fault> {
        match self {
            Self::NoDriver => Err(Fault::NoDriver),
            Self::Broken(reason) => Err(Fault::Broken(reason.clone())),
            Self::Found { devices, .. } if ordinal >= devices.len() => Err(Fault::NoDevice { ordinal, count: devices.len() }),
            Self::Found { version, .. } => {
                let broken = |_| Err(Fault::Broken("the driver library lacks symbols".into()));
                catch_unwind(|| has_kernels(ordinal, *version)).unwrap_or_else(broken)
            }
        }
    }
}

/// Refuses architectures that nothing was compiled for, and drivers that cannot compile what was.
fn has_kernels(ordinal: usize, version: i32) -> Result<(), Fault> {
    use cudarc::driver::result::{self, DriverError};
    let found = result::device::get(ordinal as i32).and_then(extents);
    let [capability, _] = found.map_err(|DriverError(code)| Fault::Broken(format!("{code:?}")))?;
    let is_assembled = modules::chosen("linear", Storage::F32, capability as u32)?.ends_with("cubin");
    if is_assembled || version >= COMPILED_BY { Ok(()) } else { Err(Fault::OldDriver { version }) }
}

fn devices() -> Result<Cuda, String> {
    use cudarc::driver::result;
    let text = |error: result::DriverError| error.to_string();
    result::init().map_err(text)?;
    let count = result::device::get_count().map_err(text)?;
    let name = |ordinal| result::device::get(ordinal).and_then(result::device::get_name).map_err(text);
    let mut version = 0;
    // SAFETY: `cuDriverGetVersion` writes one `int` to the given address, which is a live local.
    unsafe { cudarc::driver::sys::cuDriverGetVersion(&mut version) }.result().map_err(text)?;
    Ok(Cuda::Found { version, devices: (0..count).map(name).collect::<Result<_, _>>()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_is_always_there() {
        assert_eq!(Device::Cpu.require(), Ok(()));
    }

    #[test]
    fn an_explicit_gpu_is_a_typed_error_and_no_panic() {
        let Err(Error::Cuda { ordinal: 97, fault }) = Device::Cuda(97).require() else { panic!("device 97 cannot exist") };
        assert!(matches!(fault, Fault::NoDriver | Fault::Broken(_) | Fault::NoDevice { ordinal: 97, .. }), "{fault}");
    }
}
