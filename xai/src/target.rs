//! What an explanation explains: a class score, or the difference of two.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Error, Labels};

/// The score that gradients are taken of, always on logits.
///
/// ```
/// use xai::{Labels, Target};
/// let labels = Labels::new(vec!["nevus".into(), "melanoma".into()]);
/// assert_eq!(Target::parse("melanoma:nevus", &labels)?, Target::Contrast { class: 1, against: 0 });
/// assert_eq!(Target::Predicted.resolve(&[0.3, -1.0])?.gradient(2), [1.0, 0.0]);
/// # Ok::<(), xai::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// The class with the highest logit, for each image its own.
    Predicted,
    /// One class.
    Class(usize),
    /// `logit[class] − logit[against]`: what speaks for one class and against the other.
    Contrast {
        /// The class that positive relevance speaks for.
        class: usize,
        /// The class that negative relevance speaks for.
        against: usize,
    },
}

impl Target {
    /// Reads `predicted`, a class, or `class:against`; classes by name or number.
    ///
    /// # Errors
    /// [`Error::Unknown`] with the classes there are, [`Error::NoHead`] for a model without classes.
    pub fn parse(text: &str, labels: &Labels) -> Result<Self, Error> {
        if text.trim().eq_ignore_ascii_case("predicted") {
            return Ok(Self::Predicted);
        }
        if labels.is_empty() {
            return Err(Error::NoHead { what: "a target class" });
        }
        match labels.index(text) {
            Ok(class) => Ok(Self::Class(class)),
            Err(unknown) => match text.split_once(':') {
                Some((class, against)) => Ok(Self::Contrast { class: labels.index(class)?, against: labels.index(against)? }),
                None => Err(unknown),
            },
        }
    }

    /// The target of one image, with `Predicted` replaced by its class.
    ///
    /// # Errors
    /// [`Error::NoHead`] without logits, [`Error::Unknown`] for a class beyond them, [`Error::NotFinite`] where weights overflowed:
    /// no class is predicted from a logit that is not a number.
    pub fn resolve(self, logits: &[f32]) -> Result<Self, Error> {
        if logits.is_empty() {
            return Err(Error::NoHead { what: "a target" });
        }
        if let Some(index) = logits.iter().position(|logit| !logit.is_finite()) {
            return Err(Error::NotFinite { what: "the logits".into(), index });
        }
        let known = |class: usize| {
            let names = || (0..logits.len()).map(|class| class.to_string()).collect();
            if class < logits.len() {
                Ok(())
            } else {
                Err(Error::Unknown { what: "class".into(), given: class.to_string(), known: names() })
            }
        };
        match self {
            Self::Predicted => Ok(Self::Class(highest(logits))),
            Self::Class(class) => known(class).map(|()| self),
            Self::Contrast { class, against } => known(class).and_then(|()| known(against)).map(|()| self),
        }
    }

    /// Gradient of the score at the logits of one image; zero for an unresolved `Predicted`.
    pub fn gradient(self, classes: usize) -> Vec<f32> {
        let mut gradient = vec![0.0; classes];
        match self {
            Self::Predicted => {}
            Self::Class(class) => gradient[class] = 1.0,
            Self::Contrast { class, against } => {
                gradient[class] += 1.0;
                gradient[against] -= 1.0;
            }
        }
        gradient
    }

    /// The score of one image's logits; zero for an unresolved `Predicted`.
    ///
    /// ```
    /// assert_eq!(xai::Target::Contrast { class: 1, against: 0 }.score(&[0.5, 2.0]), 1.5);
    /// ```
    pub fn score(self, logits: &[f32]) -> f64 {
        self.gradient(logits.len()).iter().zip(logits).map(|(&weight, &logit)| f64::from(weight) * f64::from(logit)).sum()
    }

    /// The target in words.
    pub fn describe(self, labels: &Labels) -> String {
        match self {
            Self::Predicted => "predicted".into(),
            Self::Class(class) => labels.name(class),
            Self::Contrast { class, against } => format!("{} against {}", labels.name(class), labels.name(against)),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.describe(&Labels::new(Vec::new())))
    }
}

/// The first of the highest logits.
fn highest(logits: &[f32]) -> usize {
    (1..logits.len()).fold(0, |best, class| if logits[class] > logits[best] { class } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_that_does_not_exist_is_named_with_those_that_do() {
        let labels = Labels::numbered(2);
        for text in ["class 2", "2", "class 0:wart", "", ":"] {
            let message = Target::parse(text, &labels).unwrap_err().to_string();
            assert!(message.ends_with("there are: class 0, class 1"), "{message}");
        }
        assert!(Target::Class(5).resolve(&[0.0, 1.0]).is_err());
        assert!(matches!(Target::parse("nevus", &Labels::numbered(0)), Err(Error::NoHead { .. })));
    }

    #[test]
    fn a_class_against_itself_has_no_gradient() {
        assert_eq!(Target::Contrast { class: 1, against: 1 }.gradient(2), [0.0, 0.0]);
    }
}
