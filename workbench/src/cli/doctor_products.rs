//! What `pellucid doctor` says of cublasLt and of the way that products take on each device.

use kernels::cuda::cublaslt::{Library, Search, Surroundings, VARIABLE};
use kernels::cuda::driver::Driver;
use kernels::cuda::products::{Account, Products};
use kernels::cuda::{Queue, Storage};

/// The library that would be tried first, or where it was looked for and how to get it. It needs no device for that.
pub(super) fn library() -> String {
    let (places, folders) = match Surroundings::of_process().search() {
        Search::Off => return format!("not used: {VARIABLE}=off"),
        Search::Places { places, folders } => (places, folders),
    };
    let mut broken = None;
    for place in &places {
        match Library::load(place) {
            Ok(library) => return format!("{} at {}", library.version, library.path),
            Err(why) => broken = if place.is_unknown(&why) { broken } else { Some(why) },
        }
    }
    let looked: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
    let looked = if looked.is_empty() { "no folder where it is wont to be".into() } else { looked.join(", ") };
    let last = broken.map(|why| format!("; last tried: {why}")).unwrap_or_default();
    format!(
        "not found by the loader nor in {looked}{last}; `pip install nvidia-cublas-cu12` brings it, {VARIABLE} names it, own kernels do without"
    )
}

/// A line for each device and storage; decides and proves what was not asked for so far.
pub(super) fn ways(devices: usize) -> Vec<String> {
    (0..devices).flat_map(ways_of).collect()
}

fn ways_of(ordinal: usize) -> Vec<String> {
    let driver = match Driver::open(ordinal) {
        Ok(driver) => driver,
        Err(fault) => return vec![format!("cuda:{ordinal}: {fault}")],
    };
    let half = if driver.capability() < 80 { Storage::F16 } else { Storage::Bf16 };
    let line = |storage| match driver.products(storage) {
        Ok(account) => format!("cuda:{ordinal} {storage}: {}", told(&account)),
        Err(fault) => format!("cuda:{ordinal} {storage}: {fault}"),
    };
    [Storage::F32, half].map(line).to_vec()
}

fn told(account: &Account) -> String {
    let mut parts = vec![account.through.to_string()];
    if let Some((path, version)) = &account.library {
        parts[0] = format!("{} {version} ({path}), which agrees with own kernels", account.through);
    }
    let why = if account.through == Products::Own { "because" } else { "passed over" };
    parts.extend(account.passed_over.iter().map(|reason| format!("{why}: {reason}")));
    parts.extend(account.refused.iter().map(|reason| format!("left to own kernels: {reason}")));
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_says_what_is_used_and_why() {
        let library = Some(("nvidia/libcublasLt.so.12".into(), "12.2.5".into()));
        let mut account = Account { through: Products::Cublaslt, library, passed_over: Vec::new(), refused: vec!["a shape".into()] };
        assert_eq!(
            told(&account),
            "cublasLt 12.2.5 (nvidia/libcublasLt.so.12), which agrees with own kernels; left to own kernels: a shape"
        );
        account = Account { through: Products::Own, library: None, passed_over: vec!["it disagrees".into()], refused: Vec::new() };
        assert_eq!(told(&account), "own kernels; because: it disagrees");
    }
}
