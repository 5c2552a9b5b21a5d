//! Numbers and pictures for people: classification metrics, statistics, figures and tables.
//!
//! | module | what it answers |
//! |---|---|
//! | [`classification`] | how well do class probabilities agree with the true classes |
//! | [`statistics`] | how sure are we of such a number |
//! | [`figures`] | what does it look like (plotly, no request to any other host) |
//! | [`table`] | how is it printed (Markdown) |
//!
//! A value that is undefined, as the recall of a class without a sample, is `None`: never NaN, and never a silent zero.
//!
//! ```
//! use reports::classification::{Evaluation, Predictions};
//!
//! let predictions = Predictions::new(
//!     &["nevus", "melanoma"],
//!     &[0, 0, 1, 1],
//!     &[[0.9, 0.1], [0.4, 0.6], [0.35, 0.65], [0.2, 0.8]],
//! )?;
//! let evaluation = Evaluation::of(&predictions);
//! assert_eq!(evaluation.accuracy, 0.75);
//! assert_eq!(evaluation.macro_auc.unwrap().value, 1.0);
//! println!("{}", evaluation.class_table());
//! # Ok::<(), reports::Error>(())
//! ```

pub mod classification;
pub mod figures;
pub mod statistics;
pub mod table;

mod error;

pub use error::Error;
