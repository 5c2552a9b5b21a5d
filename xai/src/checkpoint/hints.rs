//! What can be said about a checkpoint that its files do not say.

use std::fmt;
use std::str::FromStr;

use crate::{Activation, Error};

/// Said when a checkpoint is loaded, where nothing else tells; what contradicts the checkpoint's own configuration is refused.
///
/// ```
/// use xai::{Activation, Hints};
/// let hints = Hints { heads: Some(4), activation: Some("relu".parse()?), ..Hints::default() };
/// assert_eq!(hints.activation, Some(Activation::Relu));
/// # Ok::<(), xai::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hints {
    /// A named architecture.
    pub arch: Option<String>,
    /// Heads of each attention, which no tensor shows.
    pub heads: Option<usize>,
    /// The MLP's activation, which no tensor shows either.
    pub activation: Option<Activation>,
}

const NAMES: [(&str, Activation); 3] = [("gelu", Activation::Gelu), ("gelu-tanh", Activation::GeluTanh), ("relu", Activation::Relu)];

impl FromStr for Activation {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let found = NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text.trim()));
        found.map(|(_, activation)| *activation).ok_or_else(|| Error::Unknown {
            what: "activation".into(),
            given: text.into(),
            known: NAMES.iter().map(|(name, _)| (*name).to_owned()).collect(),
        })
    }
}

impl fmt::Display for Activation {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(NAMES.iter().find(|(_, activation)| activation == self).map_or("", |(name, _)| name))
    }
}
