//! The device as it was found.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use kernels::cuda::driver::Driver;
use kernels::cuda::products::Account;
use kernels::cuda::{Fault, Queue, Storage, modules};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// What figures are worth nothing without.
#[derive(Debug, Clone, Serialize)]
pub struct Machine {
    pub name: String,
    /// True for a device that is a processor in disguise: its times are none.
    pub emulated: bool,
    pub capability: u32,
    pub multiprocessors: usize,
    /// Bytes of the device, and how many were free.
    pub memory: [usize; 2],
    /// The highest CUDA version that the driver serves.
    pub cuda: String,
    /// What `nvidia-smi` says of driver, clocks, power and temperature, before and after; nothing where it is not there.
    pub found: [Option<String>; 2],
    /// SHA-256 of all modules that this device loads, in the order of their names.
    pub kernels: String,
    /// Which products were asked for.
    pub products: String,
    /// Which they went through, by storage: told before anything is measured, and again when all is done.
    pub ways: BTreeMap<String, Way>,
    pub processor_threads: usize,
}

/// The way that products of a storage took.
#[derive(Debug, Clone, Serialize)]
pub struct Way {
    pub through: String,
    /// Path and version, where it is a library's.
    pub library: Option<(String, String)>,
    /// What was looked at and is not used, and why; shapes that were left to own kernels.
    pub passed_over: Vec<String>,
}

impl Way {
    fn of(driver: &Driver, storage: Storage) -> Self {
        match driver.products(storage) {
            Ok(Account { through, library, passed_over, refused }) => {
                Self { through: through.to_string(), library, passed_over: [passed_over, refused].concat() }
            }
            Err(fault) => Self { through: "none".into(), library: None, passed_over: vec![fault.to_string()] },
        }
    }
}

impl Machine {
    /// Looks at the device.
    pub fn of(driver: &Driver) -> Result<Self, Fault> {
        let (free, total) = driver.memory()?;
        let (name, version) = (driver.name(), driver.version());
        Ok(Self {
            emulated: name.contains("emulated"),
            name,
            capability: driver.capability(),
            multiprocessors: driver.multiprocessors(),
            memory: [total, free],
            cuda: format!("{}.{}", version / 1000, version % 1000 / 10),
            found: [as_found(), None],
            kernels: kernels(driver.capability())?,
            products: std::env::var("PELLUCID_PRODUCTS").unwrap_or_else(|_| "as found".into()),
            ways: BTreeMap::new(),
            processor_threads: rayon::current_num_threads(),
        })
    }

    /// Looks again, when all is done.
    pub fn look_again(&mut self, driver: &Driver, storages: &[Storage]) {
        self.found[1] = as_found();
        self.tell_ways(driver, storages);
    }

    /// Asks which way products take.
    pub fn tell_ways(&mut self, driver: &Driver, storages: &[Storage]) {
        self.ways = storages.iter().map(|&storage| (storage.to_string(), Way::of(driver, storage))).collect();
    }
}

/// One line a GPU; nothing is set, only asked.
fn as_found() -> Option<String> {
    const ASKED: &str = "name,driver_version,clocks.sm,clocks.mem,clocks.max.sm,power.draw,power.limit,temperature.gpu,utilization.gpu";
    let said = Command::new("nvidia-smi").args([&format!("--query-gpu={ASKED}"), "--format=csv"]).output().ok()?;
    said.status.success().then(|| String::from_utf8_lossy(&said.stdout).trim().to_owned())
}

fn kernels(capability: u32) -> Result<String, Fault> {
    let mut hash = Sha256::new();
    for storage in Storage::ALL {
        let chosen = modules::names().into_iter().filter_map(|name| modules::chosen(name, storage, capability).ok());
        for module in chosen {
            hash.update(module.as_bytes());
            hash.update(modules::unpacked(module)?);
        }
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Now, as `2026-11-22 13:00:00 UTC`.
pub fn now() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    utc(seconds)
}

/// A seed that nobody chose.
pub fn fresh_seed() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.as_nanos() as u64 >> 10 & 0xffff_ffff)
}

/// Seconds since 1970 by the Gregorian calendar.
fn utc(seconds: u64) -> String {
    let (mut days, rest) = (seconds / 86_400, seconds % 86_400);
    let (mut year, mut month) = (1970, 0);
    let is_leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let lengths = [31, 28 + u64::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    while days >= lengths[month] {
        days -= lengths[month];
        month += 1;
    }
    format!("{year}-{:02}-{:02} {:02}:{:02}:{:02} UTC", month + 1, days + 1, rest / 3600, rest / 60 % 60, rest % 60)
}

#[cfg(test)]
mod tests {
    use super::utc;

    #[test]
    fn the_calendar_knows_leap_years() {
        let days = [0, 951_782_400, 1_709_210_096, 1_767_225_599];
        let said = ["1970-01-01 00:00:00 UTC", "2000-02-29 00:00:00 UTC", "2024-02-29 12:34:56 UTC", "2025-12-31 23:59:59 UTC"];
        assert_eq!(days.map(utc), said);
    }
}
