//! Figures that say how good an explanation is, each meant to stand beside its controls.

pub mod localisation;
