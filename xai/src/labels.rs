//! Names of a model's classes.

use crate::Error;

/// Class names in the order of the logits.
///
/// ```
/// use xai::Labels;
/// let labels = Labels::new(vec!["nevus".into(), "melanoma".into()]);
/// assert_eq!(labels.index("Melanoma")?, 1);
/// assert_eq!(labels.index("0")?, 0);
/// assert!(labels.index("mole").unwrap_err().to_string().contains("nevus, melanoma"));
/// # Ok::<(), xai::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels(Vec<String>);

impl Labels {
    /// Takes names in the order of the logits.
    pub fn new(names: Vec<String>) -> Self {
        Self(names)
    }

    /// `class 0`, `class 1`, … for a model that does not name its classes.
    pub fn numbered(classes: usize) -> Self {
        Self((0..classes).map(|class| format!("class {class}")).collect())
    }

    /// How many classes there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True for a model without a head.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All names, in the order of the logits.
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// The name of a class; a number where there is none.
    pub fn name(&self, class: usize) -> String {
        self.0.get(class).cloned().unwrap_or_else(|| format!("class {class}"))
    }

    /// The class of a name, compared without case, or of a number.
    ///
    /// # Errors
    /// [`Error::Unknown`] with the names there are.
    pub fn index(&self, name: &str) -> Result<usize, Error> {
        let wanted = name.trim();
        let by_name = self.0.iter().position(|known| known.eq_ignore_ascii_case(wanted));
        let by_number = || wanted.parse().ok().filter(|&class: &usize| class < self.0.len());
        by_name.or_else(by_number).ok_or_else(|| Error::Unknown { what: "class".into(), given: name.into(), known: self.0.clone() })
    }

    /// Refuses names that do not match the head.
    pub(crate) fn expect_count(&self, classes: usize) -> Result<(), Error> {
        if self.len() == classes {
            return Ok(());
        }
        Err(Error::Shape {
            what: "class names".into(),
            expected: format!("{classes}, as many as the head has"),
            found: self.len().to_string(),
        })
    }
}
