//! How unequal classes are, and the weights that answer it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::LesionClass;
use crate::metadata::Record;

/// How many images a class has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassBalance {
    /// The class.
    pub class: LesionClass,
    /// Its images.
    pub count: usize,
}

/// How class weights are made from counts `n`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Weighting {
    /// All classes alike.
    Uniform,
    /// `1/n`.
    InverseFrequency,
    /// `1/E(n)` with the effective number of samples `E(n) = (1 - βⁿ)/(1 - β)`: Cui et al., CVPR 2019.
    EffectiveNumber {
        /// β in [0, 1); the paper uses 0.9 to 0.9999. Towards 0 all classes weigh alike, towards 1 it becomes `1/n`.
        beta: f64,
    },
}

/// Counts of the seven classes.
///
/// ```
/// use datasets::{Imbalance, LesionClass, Weighting};
/// let thesis = Imbalance::thesis();
/// assert!((thesis.ratio().unwrap() - 31_626.0 / 879.0).abs() < 1e-9);
/// let weights = thesis.weights(Weighting::InverseFrequency);
/// assert!((weights[LesionClass::Melanoma.index()] * 6_701.0 - weights[0] * 31_626.0).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Imbalance {
    counts: [usize; 7],
}

impl Imbalance {
    /// Counts classes.
    pub fn of(classes: impl IntoIterator<Item = LesionClass>) -> Imbalance {
        let mut counts = [0; 7];
        classes.into_iter().for_each(|class| counts[class.index()] += 1);
        Imbalance { counts }
    }

    /// The thesis's 47 150 images.
    pub fn thesis() -> Imbalance {
        Imbalance { counts: LesionClass::ALL.map(LesionClass::thesis_count) }
    }

    /// Counts in the order of [`LesionClass::ALL`].
    pub fn counts(&self) -> [ClassBalance; 7] {
        LesionClass::ALL.map(|class| ClassBalance { class, count: self.counts[class.index()] })
    }

    /// All images.
    pub fn total(&self) -> usize {
        self.counts.iter().sum()
    }

    /// Shares of the total, summing to 1; all 0 without images.
    pub fn shares(&self) -> [f64; 7] {
        let total = self.total().max(1) as f64;
        self.counts.map(|n| n as f64 / total)
    }

    /// The largest count over the smallest among classes that have images; `None` without images.
    pub fn ratio(&self) -> Option<f64> {
        let present = self.counts.iter().copied().filter(|n| *n > 0);
        Some(present.clone().max()? as f64 / present.min()? as f64)
    }

    /// Effective number of samples a class, `(1 - βⁿ)/(1 - β)`; β is held to [0, 1 - 1e-12].
    pub fn effective_numbers(&self, beta: f64) -> [f64; 7] {
        let beta = if beta.is_nan() { 0.0 } else { beta.clamp(0.0, 1.0 - 1e-12) };
        self.counts.map(|n| (1.0 - beta.powf(n as f64)) / (1.0 - beta))
    }

    /// Class weights with mean 1 over the classes that have images; a class without images has weight 0.
    pub fn weights(&self, how: Weighting) -> [f64; 7] {
        let raw = match how {
            Weighting::Uniform => self.counts.map(|n| if n > 0 { 1.0 } else { 0.0 }),
            Weighting::InverseFrequency => self.counts.map(|n| if n > 0 { 1.0 / n as f64 } else { 0.0 }),
            Weighting::EffectiveNumber { beta } => self.effective_numbers(beta).map(|e| if e > 0.0 { 1.0 / e } else { 0.0 }),
        };
        let present = self.counts.iter().filter(|n| **n > 0).count() as f64;
        let sum: f64 = raw.iter().sum();
        if sum > 0.0 { raw.map(|w| w * present / sum) } else { raw }
    }
}

/// A patient's or an image's attribute by which counts are taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Attribute {
    /// Sex.
    Sex,
    /// Region of the body.
    Site,
    /// Age in decades.
    AgeDecade,
    /// Fitzpatrick's skin type.
    SkinTone,
}

/// Counts for each value of an attribute; rows without it stand under `unknown`, rows without one of the seven classes are left out.
pub fn imbalance_by(records: &[Record], attribute: Attribute) -> BTreeMap<String, Imbalance> {
    let mut groups = BTreeMap::<String, Imbalance>::new();
    for record in records {
        if let Some(class) = record.class() {
            let group = groups.entry(value(record, attribute).unwrap_or_else(|| "unknown".to_owned())).or_default();
            group.counts[class.index()] += 1;
        }
    }
    groups
}

fn value(record: &Record, attribute: Attribute) -> Option<String> {
    match attribute {
        Attribute::Sex => record.sex.clone(),
        Attribute::Site => record.anatom_site_general.clone(),
        Attribute::AgeDecade => record.age_approx.map(|age| format!("{:02}-{:02}", age / 10 * 10, age / 10 * 10 + 9)),
        Attribute::SkinTone => record.fitzpatrick_skin_type.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(diagnosis: &str, sex: Option<&str>) -> Record {
        Record { diagnosis: Some(diagnosis.into()), sex: sex.map(str::to_owned), ..Record::default() }
    }

    #[test]
    fn effective_numbers_follow_the_paper() {
        let few = Imbalance::of([LesionClass::Nevus; 3]);
        // 1 + β + β² for three samples.
        assert!((few.effective_numbers(0.9)[0] - (1.0 + 0.9 + 0.81)).abs() <= 1e-12);
        assert_eq!(few.effective_numbers(0.0)[0], 1.0);
        assert!((few.effective_numbers(1.0)[0] - 3.0).abs() <= 1e-3);
        assert_eq!(few.effective_numbers(f64::NAN)[0], 1.0);
        assert_eq!(few.effective_numbers(0.9)[1], 0.0);
    }

    #[test]
    fn weights_have_mean_one_over_present_classes() {
        for how in [Weighting::Uniform, Weighting::InverseFrequency, Weighting::EffectiveNumber { beta: 0.999 }] {
            for counts in [Imbalance::thesis(), Imbalance::of([LesionClass::Nevus, LesionClass::Nevus, LesionClass::Melanoma])] {
                let weights = counts.weights(how);
                let present = counts.counts().iter().filter(|c| c.count > 0).count() as f64;
                assert!((weights.iter().sum::<f64>() / present - 1.0).abs() <= 1e-9, "{how:?}: {weights:?}");
                assert!(weights[0] <= weights[1], "the rarer class weighs at least as much: {weights:?}");
            }
        }
        assert_eq!(Imbalance::default().weights(Weighting::InverseFrequency), [0.0; 7]);
        assert_eq!(Imbalance::default().ratio(), None);
    }

    #[test]
    fn groups_keep_the_unknown_and_leave_out_unmapped_diagnoses() {
        let rows = [row("nevus", Some("male")), row("nevus", None), row("melanoma", Some("male")), row("dermatofibroma", Some("male"))];
        let groups = imbalance_by(&rows, Attribute::Sex);
        assert_eq!(groups["male"].total(), 2);
        assert_eq!(groups["unknown"].counts()[0], ClassBalance { class: LesionClass::Nevus, count: 1 });
        let aged = Record { age_approx: Some(55), ..row("nevus", None) };
        assert!(imbalance_by(&[aged], Attribute::AgeDecade).contains_key("50-59"));
    }
}
