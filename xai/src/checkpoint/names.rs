//! What a tensor may be called, and how many there may be.

use super::refusal::{Reason, Refusal};

/// The largest named architecture has some six hundred tensors.
pub(super) const MOST_TENSORS: usize = 2000;
const LONGEST: usize = 512;

/// Names are printable ASCII, as Python's attribute names in practice are: they are shown in terminals and on pages.
pub(super) fn expect_name(name: &str) -> Result<(), Refusal> {
    let printable = name.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if printable && !name.is_empty() && name.len() <= LONGEST {
        return Ok(());
    }
    let shown: String = name.chars().take(40).flat_map(char::escape_default).collect();
    let problem = format!("a tensor's name of {} bytes is empty, too long or not printable: \"{shown}\"", name.len());
    Err(Refusal::new(Reason::BadName, problem))
}
