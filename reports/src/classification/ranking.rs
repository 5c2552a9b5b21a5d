//! Samples of one class against the rest, ranked by score and grouped by ties.

use super::Predictions;

/// How many samples of the class and of the rest share one score.
pub(crate) struct TieGroup {
    pub score: f64,
    pub positives: u64,
    pub negatives: u64,
}

/// Tie groups of `class` against the rest, from the highest score down.
pub(crate) fn ranked_groups(predictions: &Predictions, class: usize) -> Vec<TieGroup> {
    let truth = predictions.truth().iter().map(|&truth| truth == class);
    let mut scored: Vec<(f64, bool)> = predictions.column(class).into_iter().zip(truth).collect();
    scored.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
    let group = |ties: &[(f64, bool)]| {
        let positives = ties.iter().filter(|(_, positive)| *positive).count() as u64;
        TieGroup { score: ties[0].0, positives, negatives: ties.len() as u64 - positives }
    };
    // Plain equality joins 0.0 and -0.0, which the total order sets apart.
    scored.chunk_by(|a, b| a.0 == b.0).map(group).collect()
}

/// Number of samples of the class, and of the rest.
pub(crate) fn totals(groups: &[TieGroup]) -> (u64, u64) {
    groups.iter().fold((0, 0), |(p, n), group| (p + group.positives, n + group.negatives))
}
