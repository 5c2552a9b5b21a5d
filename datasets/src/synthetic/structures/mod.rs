//! Dermoscopic structures, each with its settings; every function lays one structure on a lesion.

mod clods;
mod keratin;
mod nests;
mod network;
mod ridges;
mod streaks;
mod ulcer;
mod vessels;

pub(super) use clods::{Clods, Dots, clods, dots};
pub(super) use keratin::{Plugs, comedo_like_openings, keratin_mass, milia_like_cysts, scale, white_circles, white_streaks};
pub(super) use nests::{leaf_like_areas, ovoid_nests};
pub(super) use network::{Network, network, strawberry_pattern};
pub(super) use ridges::{Ridges, ridges};
pub(super) use streaks::{Streaks, streaks};
pub(super) use ulcer::ulceration;
pub(super) use vessels::{arborising_vessels, coiled_vessels, dotted_vessels, hairpin_vessels};
