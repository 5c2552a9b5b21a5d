//! What can go wrong with lesions and their tables.

use polars::error::PolarsError;
use thiserror::Error;

use crate::LesionClass;

/// Errors of this crate; uploaded images have their own, [`crate::Refusal`], because each reason has a stable code.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// A class's name that is none of the seven.
    #[error("unknown lesion class {found:?}; use one of: {}", class_names())]
    UnknownClass {
        /// The text that was read.
        found: String,
    },
    /// A table could not be read, built or written.
    #[error("{doing} failed: {source}; check that the file is comma-separated text with one header line")]
    Table {
        /// What was being done.
        doing: &'static str,
        /// What the table library says.
        source: PolarsError,
    },
    /// A table lacks a column without which it cannot be used.
    #[error("the table has no column {column:?}; its columns are: {found}; export it from the ISIC Archive or rename the column")]
    MissingColumn {
        /// The column's name.
        column: &'static str,
        /// The columns there are.
        found: String,
    },
    /// A cell that does not fit its column.
    #[error("row {row}, column {column:?}: found {found:?}, wanted {wanted}; correct the cell or leave it empty")]
    BadCell {
        /// The column's name.
        column: &'static str,
        /// The row, counted from 1 below the header.
        row: usize,
        /// The cell's text.
        found: String,
        /// What would fit.
        wanted: &'static str,
    },
    /// A plan that cannot be followed.
    #[error("{plan}: {what}")]
    BadPlan {
        /// Which plan.
        plan: &'static str,
        /// What is wrong, and what to do.
        what: String,
    },
}

fn class_names() -> String {
    LesionClass::ALL.map(|class| format!("{} ({})", class.name(), class.abbreviation())).join(", ")
}
