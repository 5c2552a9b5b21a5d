//! What products of matrices go through: the ladder of ways, and who chooses.
//!
//! A device takes the first way of the ladder that is there, serves the product, and agreed with own kernels when the device was first
//! asked for a product in that storage ([`proof`](super::proof)). `PELLUCID_PRODUCTS` leaves the ladder (`auto`), or names a way:
//! `cublaslt`, then a product that it does not serve is an error; `wgmma`, then what it does not serve is left to own kernels; or `own`.
//! `wgmma` has met no hardware so far, and a kernel that a device cannot bear takes the whole device away from a process: it is taken only
//! where it is named.

use std::fmt;
use std::str::FromStr;

use super::Fault;

/// Names a way, or `auto`.
pub const VARIABLE: &str = "PELLUCID_PRODUCTS";

/// A way to take products.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Products {
    /// NVIDIA's library ([`cublaslt`](super::cublaslt)).
    Cublaslt,
    /// Own kernels by warpgroups of `sm_90a` ([`hopper`](crate::linear::hopper)); attention goes through them as well.
    Wgmma,
    /// The kernels of `linear/cuda.cu`, which are always there.
    Own,
}

/// Who chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Choice {
    /// The first way that there is.
    #[default]
    Auto,
    /// This one, and no other but own kernels for what has none by warpgroups.
    Only(Products),
}

/// What products of one storage go through on a device, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The way.
    pub through: Products,
    /// The library's file and version, where it is used.
    pub library: Option<(String, String)>,
    /// Why ways before it, or libraries before this one, are not used.
    pub passed_over: Vec<String>,
    /// Shapes that are left to own kernels nevertheless.
    pub refused: Vec<String>,
}

impl Choice {
    /// What `PELLUCID_PRODUCTS` says.
    ///
    /// # Errors
    /// [`Fault::Unsupported`] for a value that names no way.
    pub fn from_environment() -> Result<Self, Fault> {
        std::env::var(VARIABLE).map_or(Ok(Self::Auto), |value| value.parse())
    }

    /// The ways that may be taken, best first.
    pub fn ladder(self) -> &'static [Products] {
        match self {
            Self::Auto => &[Products::Cublaslt, Products::Own],
            Self::Only(Products::Cublaslt) => &[Products::Cublaslt],
            Self::Only(Products::Wgmma) => &[Products::Wgmma, Products::Own],
            Self::Only(Products::Own) => &[Products::Own],
        }
    }
}

impl FromStr for Choice {
    type Err = Fault;

    /// ```
    /// use kernels::cuda::products::{Choice, Products};
    /// let choices = ["", "auto", "cublaslt", "wgmma", "own"].map(|text| text.parse::<Choice>().unwrap());
    /// assert_eq!(choices[1..3], [Choice::Auto, Choice::Only(Products::Cublaslt)]);
    /// assert!("fast".parse::<Choice>().is_err());
    /// ```
    fn from_str(text: &str) -> Result<Self, Fault> {
        match text {
            "" | "auto" => Ok(Self::Auto),
            "cublaslt" => Ok(Self::Only(Products::Cublaslt)),
            "wgmma" => Ok(Self::Only(Products::Wgmma)),
            "own" => Ok(Self::Only(Products::Own)),
            _ => Err(Fault::Unsupported(format!("{VARIABLE}={text} names no way for products: it may be auto, cublaslt, wgmma or own"))),
        }
    }
}

impl fmt::Display for Products {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::Cublaslt => "cublasLt",
            Self::Wgmma => "own kernels by warpgroups (wgmma)",
            Self::Own => "own kernels",
        })
    }
}
