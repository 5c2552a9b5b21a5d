//! One recipe a class: the outline's style, and the structures laid on it.
//!
//! Structures, their amounts and their absence are drawn by lot, so that classes overlap as real ones do: a quiet melanoma looks like a
//! nevus, a raw actinic keratosis like a squamous cell carcinoma.

mod actinic_keratosis;
mod basal_cell_carcinoma;
mod melanoma;
mod nevus;
mod pigmented_benign_keratosis;
mod seborrheic_keratosis;
mod squamous_cell_carcinoma;

use super::lesion::Lesion;
use super::outline::OutlineStyle;
use super::stream::Stream;
use crate::LesionClass;

/// How a class's outline varies.
pub(super) fn outline(class: LesionClass, stream: &mut Stream) -> OutlineStyle {
    match class {
        LesionClass::Nevus => nevus::outline(stream),
        LesionClass::Melanoma => melanoma::outline(stream),
        LesionClass::SeborrheicKeratosis => seborrheic_keratosis::outline(stream),
        LesionClass::BasalCellCarcinoma => basal_cell_carcinoma::outline(stream),
        LesionClass::PigmentedBenignKeratosis => pigmented_benign_keratosis::outline(stream),
        LesionClass::ActinicKeratosis => actinic_keratosis::outline(stream),
        LesionClass::SquamousCellCarcinoma => squamous_cell_carcinoma::outline(stream),
    }
}

/// Lays a class's structures.
pub(super) fn paint(class: LesionClass, lesion: &mut Lesion, stream: &mut Stream) {
    match class {
        LesionClass::Nevus => nevus::paint(lesion, stream),
        LesionClass::Melanoma => melanoma::paint(lesion, stream),
        LesionClass::SeborrheicKeratosis => seborrheic_keratosis::paint(lesion, stream),
        LesionClass::BasalCellCarcinoma => basal_cell_carcinoma::paint(lesion, stream),
        LesionClass::PigmentedBenignKeratosis => pigmented_benign_keratosis::paint(lesion, stream),
        LesionClass::ActinicKeratosis => actinic_keratosis::paint(lesion, stream),
        LesionClass::SquamousCellCarcinoma => squamous_cell_carcinoma::paint(lesion, stream),
    }
}
