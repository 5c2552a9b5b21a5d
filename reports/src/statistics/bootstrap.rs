//! Bootstrap over clusters: images of one lesion are drawn together.

use std::collections::BTreeMap;
use std::num::{NonZeroU64, NonZeroUsize};

use serde::Serialize;

use super::{Confidence, Interval, SplitMix64};
use crate::Error;

/// Settings of a bootstrap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bootstrap {
    /// How many resamples are drawn.
    pub replicates: NonZeroUsize,
    /// The level of the interval.
    pub confidence: Confidence,
    /// Seed of the generator: equal seeds, equal intervals.
    pub seed: u64,
}

impl Default for Bootstrap {
    /// 1000 replicates, 95 %, seed 0.
    fn default() -> Bootstrap {
        let replicates = NonZeroUsize::new(1000).expect("a thousand is not zero");
        Bootstrap { replicates, confidence: Confidence::NinetyFive, seed: 0 }
    }
}

/// A bootstrap interval, and what stands behind it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bootstrapped {
    /// The statistic on the data, with its percentile interval.
    pub interval: Interval,
    /// Number of clusters.
    pub clusters: usize,
    /// Number of resamples drawn.
    pub replicates: usize,
    /// Resamples on which the statistic was undefined; they are left out. Many of them make the interval doubtful.
    pub undefined: usize,
}

/// Percentile interval of a statistic, from resampled clusters.
///
/// `clusters` names the cluster of each sample (N): its lesion, or its patient. Each replicate draws as many clusters
/// as there are, with replacement, and hands `statistic` the indices of all their samples. The ends are the
/// (1 ∓ level)/2 quantiles of the replicates, linear between ranks. Clusters of equal names are one, wherever they stand.
/// Source: Efron 1979; for clusters Field and Welsh 2007.
///
/// ```
/// use reports::classification::{Predictions, roc_auc};
/// use reports::statistics::{Bootstrap, clustered_bootstrap};
///
/// let scores = [0.1_f64, 0.2, 0.3, 0.6, 0.4, 0.7, 0.8, 0.9];
/// let rows = scores.map(|melanoma| [1.0 - melanoma, melanoma]);
/// let predictions = Predictions::new(&["nevus", "melanoma"], &[0, 0, 0, 0, 1, 1, 1, 1], &rows)?;
/// let lesions = ["L1", "L1", "L2", "L3", "L4", "L5", "L5", "L6"];
/// let auc = clustered_bootstrap(&lesions, &Bootstrap::default(), |samples| {
///     roc_auc(&predictions.select(samples).ok()?)[1]
/// })?;
/// assert_eq!(auc.interval.estimate, 15.0 / 16.0);
/// assert_eq!(auc.clusters, 6);
/// assert!(auc.interval.lower <= auc.interval.estimate && auc.interval.estimate <= auc.interval.upper);
/// # Ok::<(), reports::Error>(())
/// ```
///
/// # Errors
/// Fewer than two clusters; a statistic that is undefined (or not finite) on the data or on every resample.
pub fn clustered_bootstrap<C: Ord>(
    clusters: &[C],
    settings: &Bootstrap,
    mut statistic: impl FnMut(&[usize]) -> Option<f64>,
) -> Result<Bootstrapped, Error> {
    let members = members_of(clusters);
    let count = match u64::try_from(members.len()).ok().and_then(NonZeroU64::new) {
        Some(count) if members.len() >= 2 => count,
        _ => return Err(Error::TooFew { what: "clusters", found: members.len(), needed: 2 }),
    };
    let mut finite = |samples: &[usize]| statistic(samples).filter(|value| value.is_finite());
    let all: Vec<usize> = (0..clusters.len()).collect();
    let estimate = finite(&all).ok_or(Error::UndefinedStatistic { on: "the data" })?;

    let mut random = SplitMix64::new(settings.seed);
    let mut drawn = Vec::with_capacity(clusters.len());
    let mut values = Vec::with_capacity(settings.replicates.get());
    for _ in 0..settings.replicates.get() {
        drawn.clear();
        for _ in 0..members.len() {
            drawn.extend_from_slice(&members[random.below(count) as usize]);
        }
        values.extend(finite(&drawn));
    }
    let (lower, upper) = percentiles(&mut values, settings.confidence)?;
    Ok(Bootstrapped {
        interval: Interval { estimate, lower, upper, confidence: settings.confidence },
        clusters: members.len(),
        replicates: settings.replicates.get(),
        undefined: settings.replicates.get() - values.len(),
    })
}

/// Sample indices of each cluster, clusters in the order of their first sample, so that names do not change the draw.
fn members_of<C: Ord>(clusters: &[C]) -> Vec<Vec<usize>> {
    let mut place = BTreeMap::new();
    let mut members: Vec<Vec<usize>> = Vec::new();
    for (sample, cluster) in clusters.iter().enumerate() {
        let at = *place.entry(cluster).or_insert(members.len());
        if at == members.len() {
            members.push(Vec::new());
        }
        members[at].push(sample);
    }
    members
}

fn percentiles(values: &mut [f64], confidence: Confidence) -> Result<(f64, f64), Error> {
    if values.is_empty() {
        return Err(Error::UndefinedStatistic { on: "every resample" });
    }
    values.sort_unstable_by(f64::total_cmp);
    let tail = (1.0 - confidence.level()) / 2.0;
    Ok((quantile(values, tail), quantile(values, 1.0 - tail)))
}

/// Quantile of sorted values, linear between ranks: h = (n - 1) q.
fn quantile(sorted: &[f64], q: f64) -> f64 {
    let h = (sorted.len() - 1) as f64 * q;
    let (below, above) = (sorted[h.floor() as usize], sorted[h.ceil() as usize]);
    below + (above - below) * h.fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean_of(values: &[f64]) -> impl Fn(&[usize]) -> Option<f64> + '_ {
        |samples| Some(samples.iter().map(|&s| values[s]).sum::<f64>() / samples.len() as f64)
    }

    #[test]
    fn quantiles_by_hand() {
        let sorted = [1.0, 2.0, 3.0, 4.0, 5.0];
        assert_eq!(quantile(&sorted, 0.0), 1.0);
        assert_eq!(quantile(&sorted, 0.625), 3.5);
        assert_eq!(quantile(&sorted, 1.0), 5.0);
    }

    #[test]
    fn interval_of_a_mean_agrees_with_theory() {
        // 400 independent values of variance 1/12: standard error 0.01443, half width 0.0283.
        let mut random = SplitMix64::new(3);
        let values: Vec<f64> = (0..400).map(|_| (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64).collect();
        let samples: Vec<usize> = (0..400).collect();
        let result = clustered_bootstrap(&samples, &Bootstrap::default(), mean_of(&values)).unwrap().interval;
        let half = (result.upper - result.lower) / 2.0;
        assert!((half - 0.0283).abs() < 0.003, "half width {half}");
    }

    #[test]
    fn clusters_widen_the_interval() {
        // Each of 50 lesions has 8 images of one value: 400 images tell no more than 50 lesions, sqrt(8) = 2.83 wider.
        let lesions: Vec<usize> = (0..400).map(|image| image / 8).collect();
        let values: Vec<f64> = lesions.iter().map(|lesion| (lesion % 10) as f64).collect();
        let images: Vec<usize> = (0..400).collect();
        let width = |clusters: &[usize]| {
            let interval = clustered_bootstrap(clusters, &Bootstrap::default(), mean_of(&values)).unwrap().interval;
            interval.upper - interval.lower
        };
        let ratio = width(&lesions) / width(&images);
        assert!((2.4..3.3).contains(&ratio), "ratio {ratio}");
    }

    #[test]
    fn equal_seeds_give_equal_intervals_and_names_do_not_matter() {
        let values = [1.0, 2.0, 4.0, 8.0, 16.0];
        let settings = Bootstrap { seed: 9, ..Bootstrap::default() };
        let a = clustered_bootstrap(&["x", "y", "x", "z", "w"], &settings, mean_of(&values)).unwrap();
        let b = clustered_bootstrap(&[9, 3, 9, 1, 2], &settings, mean_of(&values)).unwrap();
        assert_eq!(a, b);
        let other = clustered_bootstrap(&[9, 3, 9, 1, 2], &Bootstrap { seed: 10, ..settings }, mean_of(&values));
        assert_ne!(a, other.unwrap());
    }

    #[test]
    fn a_cluster_is_drawn_whole() {
        let clusters = [0, 0, 1, 1, 1];
        clustered_bootstrap(&clusters, &Bootstrap::default(), |samples| {
            let times = |index| samples.iter().filter(|&&sample| sample == index).count();
            assert_eq!(times(0), times(1));
            assert_eq!((times(2), times(2)), (times(3), times(4)));
            assert_eq!(times(0) + times(2), 2); // two clusters were drawn
            Some(0.0)
        })
        .unwrap();
    }

    #[test]
    fn undefined_replicates_are_counted_and_left_out() {
        // Defined only when cluster 0 was drawn: missing in about a quarter of the draws of two clusters.
        let settings = Bootstrap::default();
        let result = clustered_bootstrap(&[0, 1], &settings, |samples| samples.contains(&0).then_some(1.0)).unwrap();
        assert!((200..300).contains(&result.undefined), "{}", result.undefined);
        assert_eq!((result.interval.lower, result.interval.upper), (1.0, 1.0));
    }

    #[test]
    fn refuses_what_has_no_interval() {
        let run = |clusters: &[u8], value| clustered_bootstrap(clusters, &Bootstrap::default(), |_| value).unwrap_err();
        assert_eq!(run(&[], Some(1.0)), Error::TooFew { what: "clusters", found: 0, needed: 2 });
        assert_eq!(run(&[1, 1], Some(1.0)), Error::TooFew { what: "clusters", found: 1, needed: 2 });
        assert_eq!(run(&[1, 2], Some(f64::NAN)), Error::UndefinedStatistic { on: "the data" });
        assert_eq!(run(&[1, 2], None), Error::UndefinedStatistic { on: "the data" });
    }
}
