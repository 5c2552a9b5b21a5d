//! Patients and what the table says of them.

use crate::LesionClass;
use crate::metadata::Record;
use crate::synthetic::SkinTone;
use crate::synthetic::stream::Stream;

/// One drawn patient.
#[derive(Clone, Debug)]
pub(super) struct Patient {
    pub seed: u64,
    pub tone: SkinTone,
    age: u32,
    female: bool,
    family: bool,
    personal: bool,
}

const SITES: [&str; 8] = [
    "anterior torso",
    "posterior torso",
    "lateral torso",
    "head/neck",
    "upper extremity",
    "lower extremity",
    "palms/soles",
    "oral/genital",
];

impl Patient {
    pub(super) fn draw(stream: &mut Stream) -> Patient {
        Patient {
            seed: stream.bits(),
            tone: SkinTone::draw(stream),
            age: ((54.0 + 17.0 * stream.normal()).clamp(5.0, 90.0) / 5.0 + 0.5) as u32 * 5,
            female: stream.chance(0.48),
            family: stream.chance(0.12),
            personal: stream.chance(0.10),
        }
    }

    /// Years between the patient's age and the class's usual one.
    pub(super) fn age_misfit(&self, class: LesionClass) -> u32 {
        let usual = match class {
            LesionClass::Nevus => 45,
            LesionClass::Melanoma => 60,
            LesionClass::SeborrheicKeratosis | LesionClass::PigmentedBenignKeratosis => 65,
            LesionClass::BasalCellCarcinoma | LesionClass::ActinicKeratosis => 70,
            LesionClass::SquamousCellCarcinoma => 75,
        };
        self.age.abs_diff(usual)
    }

    /// A row without identifiers and sizes; `history` is the lesion's stream, so that all its images tell the same.
    pub(super) fn record(&self, class: LesionClass, long_diameter_mm: f32, history: &Stream) -> Record {
        let mut lots = history.fork("row");
        let biopsied = class.is_malignant() || lots.chance(0.35);
        let melanoma = class == LesionClass::Melanoma;
        let some = |text: &str| Some(text.to_owned());
        Record {
            attribution: some("Pellucid (drawn)"),
            copyright_license: some("CC-0"),
            age_approx: Some(self.age),
            anatom_site_general: some(site(class, &mut lots)),
            benign_malignant: some(if class.is_malignant() { "malignant" } else { "benign" }),
            clin_size_long_diam_mm: Some((long_diameter_mm * 10.0 + 0.5).floor() / 10.0),
            concomitant_biopsy: Some(biopsied),
            dermoscopic_type: some(
                ["contact polarized", "contact non-polarized", "non-contact polarized"][lots.weighted(&[0.6, 0.2, 0.2])],
            ),
            diagnosis: some(class.name()),
            diagnosis_confirm_type: some(if biopsied { "histopathology" } else { "single image expert consensus" }),
            family_hx_mm: Some(self.family),
            fitzpatrick_skin_type: some(self.tone.name()),
            image_type: some("dermoscopic"),
            mel_thick_mm: melanoma.then(|| (lots.mostly_low(0.2, 4.5) * 10.0 + 0.5).floor() / 10.0),
            mel_ulcer: melanoma.then(|| lots.chance(0.12)),
            melanocytic: Some(class.is_melanocytic()),
            personal_hx_mm: Some(self.personal),
            sex: some(if self.female { "female" } else { "male" }),
            ..Record::default()
        }
    }
}

/// Sun-exposed classes stand on the head and the arms, the others mostly on the trunk.
fn site(class: LesionClass, lots: &mut Stream) -> &'static str {
    let weights = match class {
        LesionClass::ActinicKeratosis | LesionClass::SquamousCellCarcinoma => [0.05, 0.06, 0.01, 0.60, 0.20, 0.08, 0.0, 0.0],
        LesionClass::BasalCellCarcinoma => [0.14, 0.18, 0.03, 0.45, 0.12, 0.08, 0.0, 0.0],
        LesionClass::Melanoma => [0.16, 0.30, 0.04, 0.15, 0.15, 0.17, 0.02, 0.01],
        _ => [0.25, 0.30, 0.05, 0.12, 0.12, 0.14, 0.015, 0.005],
    };
    SITES[lots.weighted(&weights)]
}
