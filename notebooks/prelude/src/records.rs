//! Rows of a cohort to look at.

use std::path::Path;

use anyhow::{Context, Result};
use datasets::metadata::{Record, read_csv};

use crate::drawn;

/// The rows of `metadata.csv`, an export of the ISIC Archive, in the folder of the environment's `PELLUCID_DATA`; where there is none,
/// those of a drawn cohort of `images`.
///
/// ```
/// assert_eq!(pellucid::records(30)?[0].isic_id, "DRAWN_0000001");
/// # Ok::<(), pellucid::Error>(())
/// ```
///
/// # Errors
/// When the file cannot be read or is no such table; the message names row and column.
pub fn records(images: usize) -> Result<Vec<Record>> {
    let file = std::env::var_os("PELLUCID_DATA").map(|folder| Path::new(&folder).join("metadata.csv"));
    let Some(file) = file.filter(|file| file.is_file()) else { return Ok(drawn::cohort(images)?.records().to_vec()) };
    let bytes = std::fs::read(&file).with_context(|| format!("{} cannot be read", file.display()))?;
    read_csv(&bytes).with_context(|| format!("{} is no table of the ISIC Archive", file.display()))
}
