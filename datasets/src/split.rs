//! Train, validation and test sets in which no patient and no lesion appears twice.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::metadata::Record;
use crate::synthetic::Stream;

/// How to split.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SplitPlan {
    /// Share of the images to train on.
    pub train: f64,
    /// Share of the images to choose models and thresholds on.
    pub validation: f64,
    /// Share of the images to report on.
    pub test: f64,
    /// Which of the possible splits.
    pub seed: u64,
}

impl Default for SplitPlan {
    fn default() -> SplitPlan {
        SplitPlan { train: 0.7, validation: 0.15, test: 0.15, seed: 0 }
    }
}

/// Indices into the records, each list in rising order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// To train on.
    pub train: Vec<usize>,
    /// To choose models and thresholds on.
    pub validation: Vec<usize>,
    /// To report on.
    pub test: Vec<usize>,
}

/// Splits records by patient, then by lesion: rows that share either, even through a chain of others, stay together.
///
/// Groups go one after the other, large ones first, to the part that misses most of the group's diagnoses, so that the class shares
/// stay close to the whole's. A row without patient and lesion is a group of its own.
///
/// ```
/// use datasets::{SplitPlan, metadata::Record, split};
/// let row = |id: &str, patient: &str| Record { isic_id: id.into(), patient_id: Some(patient.into()), ..Record::default() };
/// let rows = [row("a", "p"), row("b", "p"), row("c", "q"), row("d", "r")];
/// let parts = split(&rows, &SplitPlan { train: 0.5, validation: 0.25, test: 0.25, seed: 1 }).unwrap();
/// assert_eq!(parts.train, [0, 1]);
/// ```
///
/// # Errors
/// [`Error::BadPlan`] when a share is negative or no number, or when they do not sum to 1 (within 1e-6).
pub fn split(records: &[Record], plan: &SplitPlan) -> Result<Split, Error> {
    let shares = [plan.train, plan.validation, plan.test];
    let sum: f64 = shares.iter().sum();
    // NaN fails both.
    let usable = shares.iter().all(|share| *share >= 0.0) && (sum - 1.0).abs() <= 1e-6;
    if !usable {
        let what = format!("shares {shares:?} sum to {sum}; give three shares of at least 0 that sum to 1");
        return Err(Error::BadPlan { plan: "split", what });
    }
    let (labels, totals) = labels(records);
    let mut missing: Vec<Vec<f64>> = shares.iter().map(|share| totals.iter().map(|n| share * *n as f64).collect()).collect();
    let mut parts = [const { Vec::new() }; 3];
    for group in ordered(groups(records), plan.seed) {
        let lack = |part: usize| group.iter().map(|row| missing[part][labels[*row]] / totals[labels[*row]] as f64).sum::<f64>();
        let best = (0..3).filter(|part| shares[*part] > 0.0).max_by(|a, b| lack(*a).total_cmp(&lack(*b))).unwrap_or(0);
        for row in group {
            missing[best][labels[row]] -= 1.0;
            parts[best].push(row);
        }
    }
    parts.iter_mut().for_each(|part| part.sort_unstable());
    let [train, validation, test] = parts;
    Ok(Split { train, validation, test })
}

/// A number for each row's diagnosis, and how many rows each number has.
fn labels(records: &[Record]) -> (Vec<usize>, Vec<usize>) {
    let mut numbers = HashMap::new();
    let mut totals = Vec::new();
    let labels = records
        .iter()
        .map(|record| {
            let label = *numbers.entry(record.diagnosis.as_deref()).or_insert_with(|| {
                totals.push(0);
                totals.len() - 1
            });
            totals[label] += 1;
            label
        })
        .collect();
    (labels, totals)
}

/// Rows joined by a shared patient or lesion (union-find with path halving).
fn groups(records: &[Record]) -> Vec<Vec<usize>> {
    let mut parent: Vec<usize> = (0..records.len()).collect();
    let mut first = HashMap::new();
    for (row, record) in records.iter().enumerate() {
        let keys = [("patient", record.patient_id.as_deref()), ("lesion", record.lesion_id.as_deref())];
        for key in keys.into_iter().filter(|(_, id)| id.is_some()) {
            let other = *first.entry(key).or_insert(row);
            let (a, b) = (root(&mut parent, row), root(&mut parent, other));
            parent[a.max(b)] = a.min(b);
        }
    }
    let mut groups: Vec<Vec<usize>> = vec![Vec::new(); records.len()];
    for row in 0..records.len() {
        groups[root(&mut parent, row)].push(row);
    }
    groups.retain(|group| !group.is_empty());
    groups
}

fn root(parent: &mut [usize], mut row: usize) -> usize {
    while parent[row] != row {
        parent[row] = parent[parent[row]];
        row = parent[row];
    }
    row
}

/// Large groups first, equal ones in an order drawn from the seed.
fn ordered(mut groups: Vec<Vec<usize>>, seed: u64) -> Vec<Vec<usize>> {
    Stream::new(seed).fork("split").shuffle(&mut groups);
    groups.sort_by_key(|group| std::cmp::Reverse(group.len()));
    groups
}
