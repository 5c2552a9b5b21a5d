//! The seven classes of the thesis.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Error;

/// A lesion's class, in the order of the thesis's tables; the order is also the order of a model's outputs.
///
/// The names are the spellings of the ISIC Archive's `diagnosis` column.
///
/// ```
/// use datasets::LesionClass;
/// assert_eq!(LesionClass::ALL.len(), 7);
/// assert_eq!(LesionClass::ALL.iter().map(|c| c.thesis_count()).sum::<usize>(), 47_150);
/// assert_eq!("Basal Cell  CARCINOMA".parse::<LesionClass>().unwrap(), LesionClass::BasalCellCarcinoma);
/// assert_eq!("mel".parse::<LesionClass>().unwrap(), LesionClass::Melanoma);
/// assert!("wart".parse::<LesionClass>().unwrap_err().to_string().contains("seborrheic keratosis"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum LesionClass {
    /// Benign melanocytic naevus.
    #[serde(rename = "nevus")]
    Nevus,
    /// Melanoma, in situ or invasive.
    #[serde(rename = "melanoma")]
    Melanoma,
    /// Seborrhoeic keratosis.
    #[serde(rename = "seborrheic keratosis")]
    SeborrheicKeratosis,
    /// Basal cell carcinoma.
    #[serde(rename = "basal cell carcinoma")]
    BasalCellCarcinoma,
    /// Pigmented benign keratosis: the Archive's name for solar lentigo and lichen-planus-like keratosis as HAM10000 pooled them.
    #[serde(rename = "pigmented benign keratosis")]
    PigmentedBenignKeratosis,
    /// Actinic keratosis.
    #[serde(rename = "actinic keratosis")]
    ActinicKeratosis,
    /// Squamous cell carcinoma.
    #[serde(rename = "squamous cell carcinoma")]
    SquamousCellCarcinoma,
}

impl LesionClass {
    /// All classes in the order of the model's outputs.
    pub const ALL: [LesionClass; 7] = [
        LesionClass::Nevus,
        LesionClass::Melanoma,
        LesionClass::SeborrheicKeratosis,
        LesionClass::BasalCellCarcinoma,
        LesionClass::PigmentedBenignKeratosis,
        LesionClass::ActinicKeratosis,
        LesionClass::SquamousCellCarcinoma,
    ];

    /// The ISIC Archive's `diagnosis` spelling.
    pub fn name(self) -> &'static str {
        match self {
            LesionClass::Nevus => "nevus",
            LesionClass::Melanoma => "melanoma",
            LesionClass::SeborrheicKeratosis => "seborrheic keratosis",
            LesionClass::BasalCellCarcinoma => "basal cell carcinoma",
            LesionClass::PigmentedBenignKeratosis => "pigmented benign keratosis",
            LesionClass::ActinicKeratosis => "actinic keratosis",
            LesionClass::SquamousCellCarcinoma => "squamous cell carcinoma",
        }
    }

    /// Two or three capitals for axes and narrow columns.
    pub fn abbreviation(self) -> &'static str {
        match self {
            LesionClass::Nevus => "NV",
            LesionClass::Melanoma => "MEL",
            LesionClass::SeborrheicKeratosis => "SK",
            LesionClass::BasalCellCarcinoma => "BCC",
            LesionClass::PigmentedBenignKeratosis => "PBK",
            LesionClass::ActinicKeratosis => "AK",
            LesionClass::SquamousCellCarcinoma => "SCC",
        }
    }

    /// Position in [`LesionClass::ALL`] and in a model's outputs.
    pub fn index(self) -> usize {
        self as usize
    }

    /// The class at a position of [`LesionClass::ALL`]; `None` past the seventh.
    pub fn from_index(index: usize) -> Option<LesionClass> {
        LesionClass::ALL.get(index).copied()
    }

    /// How many images of the class the thesis took from the ISIC Archive (2023).
    pub fn thesis_count(self) -> usize {
        [31_626, 6_701, 1_725, 3_869, 1_339, 1_011, 879][self.index()]
    }

    /// Whether the thesis's binary task counts the class as malignant: melanoma, basal and squamous cell carcinoma.
    ///
    /// Actinic keratosis is a precursor and stands with the benign, as in the Archive's `benign_malignant` column.
    pub fn is_malignant(self) -> bool {
        matches!(self, LesionClass::Melanoma | LesionClass::BasalCellCarcinoma | LesionClass::SquamousCellCarcinoma)
    }

    /// Whether the lesion grows from melanocytes: nevus and melanoma.
    pub fn is_melanocytic(self) -> bool {
        matches!(self, LesionClass::Nevus | LesionClass::Melanoma)
    }
}

impl fmt::Display for LesionClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for LesionClass {
    type Err = Error;

    /// Reads a name or an abbreviation; case, surrounding space and the kind of separator do not matter.
    fn from_str(text: &str) -> Result<LesionClass, Error> {
        let wanted = normalised(text);
        LesionClass::ALL
            .into_iter()
            .find(|class| wanted == class.name() || wanted == class.abbreviation().to_lowercase())
            .ok_or_else(|| Error::UnknownClass { found: text.chars().take(80).collect() })
    }
}

/// Lower case with single spaces between words; underscores and hyphens count as spaces.
fn normalised(text: &str) -> String {
    text.split(|c: char| c.is_whitespace() || c == '_' || c == '-')
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn index_name_and_abbreviation_lead_back_to_the_class() {
        for (index, class) in LesionClass::ALL.into_iter().enumerate() {
            assert_eq!(class.index(), index);
            assert_eq!(LesionClass::from_index(index), Some(class));
            assert_eq!(class.name().parse::<LesionClass>().unwrap(), class);
            assert_eq!(class.abbreviation().parse::<LesionClass>().unwrap(), class);
            assert_eq!(class.name().replace(' ', "_").to_uppercase().parse::<LesionClass>().unwrap(), class);
        }
        assert_eq!(LesionClass::from_index(7), None);
    }

    #[test]
    fn an_unknown_name_is_refused_with_all_that_exist() {
        let message = "dermatofibroma".parse::<LesionClass>().unwrap_err().to_string();
        assert!(message.contains("dermatofibroma"), "{message}");
        for class in LesionClass::ALL {
            assert!(message.contains(class.name()), "{message}");
        }
        assert!("".parse::<LesionClass>().is_err());
    }

    #[test]
    fn three_classes_are_malignant_and_two_melanocytic() {
        let short = |wanted: fn(LesionClass) -> bool| {
            LesionClass::ALL.into_iter().filter(|c| wanted(*c)).map(LesionClass::abbreviation).collect::<Vec<_>>()
        };
        assert_eq!(short(LesionClass::is_malignant), ["MEL", "BCC", "SCC"]);
        assert_eq!(short(LesionClass::is_melanocytic), ["NV", "MEL"]);
    }

    #[test]
    fn display_keeps_the_width_asked_for() {
        assert_eq!(format!("{:>10}|", LesionClass::Nevus), "     nevus|");
    }
}
