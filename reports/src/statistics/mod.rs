//! How sure a number is: confidence intervals, and the small random generator behind them.

mod bootstrap;
mod interval;
mod mean;
mod proportion;
mod random;

pub use bootstrap::{Bootstrap, Bootstrapped, clustered_bootstrap};
pub use interval::{Confidence, Interval};
pub use mean::{mean, mean_interval};
pub use proportion::wilson_interval;
pub use random::SplitMix64;
