//! One image's row.

use crate::LesionClass;

/// What a table says of one image; `None` where it says nothing.
///
/// Fields are named as the Archive's columns. Words of open vocabularies (sites, diagnoses) stay text: what is not known here
/// must be shown, not lost.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    /// The image's identifier.
    pub isic_id: String,
    /// Whom to credit.
    pub attribution: Option<String>,
    /// Licence of the image.
    pub copyright_license: Option<String>,
    /// Age in years, to the nearest five.
    pub age_approx: Option<u32>,
    /// Region of the body.
    pub anatom_site_general: Option<String>,
    /// Special skin: `acral NOS`, `oral or genital`, ...
    pub anatom_site_special: Option<String>,
    /// `benign`, `malignant` or an `indeterminate` form.
    pub benign_malignant: Option<String>,
    /// Longest diameter in millimetres.
    pub clin_size_long_diam_mm: Option<f32>,
    /// Whether a biopsy was taken at the time of the image.
    pub concomitant_biopsy: Option<bool>,
    /// `contact polarized`, `contact non-polarized` or `non-contact polarized`.
    pub dermoscopic_type: Option<String>,
    /// The diagnosis as the table spells it.
    pub diagnosis: Option<String>,
    /// How the diagnosis was made: `histopathology`, `single image expert consensus`, ...
    pub diagnosis_confirm_type: Option<String>,
    /// Melanoma in the family.
    pub family_hx_mm: Option<bool>,
    /// Fitzpatrick's type as a Roman numeral.
    pub fitzpatrick_skin_type: Option<String>,
    /// `dermoscopic`, `clinical: close-up`, ...
    pub image_type: Option<String>,
    /// The lesion; images that share it must not be split.
    pub lesion_id: Option<String>,
    /// Breslow thickness in millimetres.
    pub mel_thick_mm: Option<f32>,
    /// Ulceration of a melanoma.
    pub mel_ulcer: Option<bool>,
    /// Whether the lesion is melanocytic.
    pub melanocytic: Option<bool>,
    /// The patient; images that share it must not be split.
    pub patient_id: Option<String>,
    /// An earlier melanoma of the patient.
    pub personal_hx_mm: Option<bool>,
    /// Width in pixels.
    pub pixels_x: Option<u32>,
    /// Height in pixels.
    pub pixels_y: Option<u32>,
    /// `female` or `male`.
    pub sex: Option<String>,
}

impl Record {
    /// The class of the diagnosis; `None` when there is none or it is not one of the seven.
    ///
    /// ```
    /// use datasets::{LesionClass, metadata::Record};
    /// let row = Record { diagnosis: Some("nevus".into()), ..Record::default() };
    /// assert_eq!(row.class(), Some(LesionClass::Nevus));
    /// let held = Record { diagnosis: Some("dermatofibroma".into()), ..Record::default() };
    /// assert_eq!(held.class(), None);
    /// ```
    pub fn class(&self) -> Option<LesionClass> {
        self.diagnosis.as_deref()?.parse().ok()
    }
}
