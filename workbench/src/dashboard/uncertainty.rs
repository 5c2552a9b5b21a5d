//! How sure the model says it is, as a number and in words.

use serde::Serialize;

/// Spread of the probabilities over the classes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Uncertainty {
    /// `-Σ p ln p / ln C`: 0 where one class has everything, 1 where all are alike.
    pub entropy: f64,
    /// Highest probability less the second.
    pub margin: f64,
    /// The band of the entropy in words.
    pub words: &'static str,
}

/// Upper ends of the bands of the normalised entropy, with their words.
const BANDS: [(f64, &str); 4] = [
    (0.25, "low: one class stands out"),
    (0.50, "moderate: one class leads, others are possible"),
    (0.75, "high: several classes are likely"),
    (f64::INFINITY, "very high: the model hardly prefers any class"),
];

impl Uncertainty {
    /// Of probabilities that sum to one; `None` for fewer than two classes.
    pub fn of(probabilities: &[f32]) -> Option<Self> {
        if probabilities.len() < 2 {
            return None;
        }
        let mut sorted: Vec<f64> = probabilities.iter().map(|p| f64::from(*p)).collect();
        sorted.sort_unstable_by(|one, other| other.total_cmp(one));
        let sum: f64 = sorted.iter().filter(|p| **p > 0.0).map(|p| -p * p.ln()).sum();
        let entropy = (sum / (sorted.len() as f64).ln()).clamp(0.0, 1.0);
        let words = BANDS.iter().find(|(end, _)| entropy < *end).map_or(BANDS[3].1, |(_, words)| words);
        Some(Self { entropy, margin: sorted[0] - sorted[1], words })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_sure_to_clueless() {
        let of = |probabilities: &[f32]| Uncertainty::of(probabilities).unwrap();
        assert_eq!(of(&[1.0, 0.0, 0.0]).entropy, 0.0);
        assert!(of(&[1.0, 0.0, 0.0]).words.starts_with("low"));
        let even = of(&[0.25; 4]);
        assert!((even.entropy - 1.0).abs() < 1e-6 && even.margin == 0.0 && even.words.starts_with("very high"));
        // -(0.9 ln 0.9 + 0.1 ln 0.1) / ln 2 = 0.4690.
        let nine = of(&[0.1, 0.9]);
        assert!((nine.entropy - 0.4690).abs() < 1e-4 && (nine.margin - 0.8).abs() < 1e-6, "{nine:?}");
        assert!(Uncertainty::of(&[1.0]).is_none());
    }
}
