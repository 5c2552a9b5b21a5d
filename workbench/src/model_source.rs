//! Where a model comes from: a path, the Hugging Face hub, `random:NAME[+dnn3:CLASSES]`, or the small one that ships.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use xai::{Device, HeadKind, LoadOptions, Vit, VitConfig};

use crate::Error;
use crate::hub::{self, Hub, RepoName};

/// A model as it is named on a command line.
///
/// ```
/// use workbench::ModelSource;
/// let source: ModelSource = "random:tiny_for_tests+dnn3:7".parse()?;
/// assert_eq!(source.load(&xai::LoadOptions::default())?.labels().len(), 7);
/// # Ok::<(), workbench::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum ModelSource {
    /// A folder or a file of weights.
    Path(PathBuf),
    /// A repository of the hub.
    Hub(RepoName),
    /// A named architecture with seeded random weights.
    Random {
        /// The architecture's name.
        arch: String,
        /// The head.
        head: HeadKind,
    },
    /// The small model trained on drawn lesions.
    Drawn,
}

/// Seed of `random:` models: the same numbers on every machine.
const RANDOM_SEED: u64 = 1;

impl FromStr for ModelSource {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if text == "drawn" {
            return Ok(Self::Drawn);
        }
        if let Some(name) = text.strip_prefix("hf:") {
            return Ok(Self::Hub(name.parse()?));
        }
        let Some(random) = text.strip_prefix("random:") else {
            return Ok(Self::Path(text.into()));
        };
        let (arch, head) = random.split_once('+').unwrap_or((random, ""));
        VitConfig::by_name(arch)?;
        Ok(Self::Random { arch: arch.into(), head: parse_head(text, head)? })
    }
}

fn parse_head(given: &str, head: &str) -> Result<HeadKind, Error> {
    const MOST_CLASSES: usize = 100_000;
    let refuse = || Error::Model {
        given: given.into(),
        problem: "write random:NAME, random:NAME+linear:CLASSES or random:NAME+dnn3:CLASSES".into(),
    };
    if head.is_empty() {
        return Ok(HeadKind::None);
    }
    let (kind, classes) = head.split_once(':').ok_or_else(refuse)?;
    let classes = classes.parse().ok().filter(|classes| (1..=MOST_CLASSES).contains(classes)).ok_or_else(refuse)?;
    match kind {
        "linear" => Ok(HeadKind::Linear(classes)),
        "dnn3" => Ok(HeadKind::Dnn3(classes)),
        _ => Err(refuse()),
    }
}

impl ModelSource {
    /// Brings a model of the hub onto this machine, in the place and manner that the environment names; every other source is there.
    /// Beside it stands what to tell about where its files came from.
    ///
    /// # Errors
    /// As for [`hub::fetch`].
    pub fn fetched(&self) -> Result<(Self, Vec<String>), Error> {
        let Self::Hub(name) = self else { return Ok((self.clone(), Vec::new())) };
        let snapshot = hub::fetch(&Hub::from_env()?, name)?;
        Ok((Self::Path(snapshot.folder), snapshot.notes))
    }

    /// Loads the model onto the CPU; [`Vit::on`] brings it to another device. `options` say how a checkpoint is read and what its files do not say.
    ///
    /// # Errors
    /// As for [`Vit::load`] and [`hub::fetch`].
    pub fn load(&self, options: &LoadOptions) -> Result<Vit, Error> {
        match self {
            Self::Path(path) => {
                let vit = Vit::load_with(path, options, &Device::Cpu)?;
                hub::expect_named_bytes(path, &vit.source().sha256)?;
                Ok(vit)
            }
            Self::Hub(_) => self.fetched()?.0.load(options),
            Self::Random { arch, head } => Ok(Vit::random(VitConfig::by_name(arch)?, *head, RANDOM_SEED)?),
            Self::Drawn => Ok(crate::drawn_model::load()?),
        }
    }
}

impl fmt::Display for ModelSource {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Path(path) => path.display().fmt(f),
            Self::Hub(name) => name.fmt(f),
            Self::Random { arch, .. } => write!(f, "random:{arch}"),
            Self::Drawn => f.write_str("drawn"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_understood_is_answered_with_what_can_be_written() {
        for text in ["random:tiny_for_tests+", "random:tiny_for_tests+dnn3", "random:tiny_for_tests+dnn3:0", "random:tiny_for_tests+cnn:7"]
        {
            let parsed = text.parse::<ModelSource>();
            assert!(text.ends_with('+') == parsed.is_ok(), "{text}: {parsed:?}");
        }
        let message = "random:resnet50".parse::<ModelSource>().unwrap_err().to_string();
        assert!(message.contains("vit_large_patch32_384"), "{message}");
    }
}
