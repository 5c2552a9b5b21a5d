//! What people run: the way of one image, experiments, the command line and the dashboard.

pub mod experiment;
pub mod progress;
