//! Which ranges of a gradient travel together.

use std::ops::Range;

use super::Fault;

/// A range of a flat gradient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// What it is the gradient of.
    pub name: String,
    /// Where it stands, in values.
    pub range: Range<usize>,
}

/// Ranges in buckets, and which of them are finished.
#[derive(Debug)]
pub(super) struct Plan {
    named: Vec<Named>,
    /// The ranges of each bucket, by their numbers.
    buckets: Vec<Range<usize>>,
    is_finished: Vec<bool>,
    /// Ranges of each bucket that are still to come.
    waiting: Vec<usize>,
    /// Buckets that were started.
    started: usize,
}

impl Plan {
    /// Groups ranges, in the order in which they will be finished, to buckets of so many bytes or of one range.
    pub fn of(named: &[Named], bytes: usize) -> Result<Self, Fault> {
        let mut sorted: Vec<&Named> = named.iter().filter(|one| !one.range.is_empty()).collect();
        sorted.sort_by_key(|one| one.range.start);
        if let Some(pair) = sorted.windows(2).find(|pair| pair[0].range.end > pair[1].range.start) {
            return Err(Fault::Range { name: pair[1].name.clone(), what: format!("begins inside {}", pair[0].name) });
        }
        let mut buckets: Vec<Range<usize>> = Vec::new();
        let mut filled = 0;
        for (index, one) in named.iter().enumerate() {
            match buckets.last_mut().filter(|_| filled + 4 * one.range.len() <= bytes) {
                Some(last) => last.end = index + 1,
                None => {
                    buckets.push(index..index + 1);
                    filled = 0;
                }
            }
            filled += 4 * one.range.len();
        }
        let mut plan = Self { named: named.to_vec(), buckets, is_finished: Vec::new(), waiting: Vec::new(), started: 0 };
        plan.begin();
        Ok(plan)
    }

    /// Expects every range again.
    pub fn begin(&mut self) {
        self.is_finished = vec![false; self.named.len()];
        self.waiting = self.buckets.iter().map(Range::len).collect();
        self.started = 0;
    }

    pub fn named(&self) -> &[Named] {
        &self.named
    }

    pub fn buckets(&self) -> &[Range<usize>] {
        &self.buckets
    }

    /// Notes that a range is finished; what comes back are the buckets that can now start. Whatever the order of ranges, buckets start in
    /// the order of the plan: it is the same on all ranks.
    pub fn finished(&mut self, index: usize, values: usize) -> Result<Range<usize>, Fault> {
        let Some(one) = self.named.get(index) else {
            return Err(Fault::Range { name: format!("of number {index}"), what: format!("is none of {}", self.named.len()) });
        };
        let wrong = |what: String| Err(Fault::Range { name: one.name.clone(), what });
        if one.range.len() != values {
            return wrong(format!("has {values} values instead of {}", one.range.len()));
        }
        if self.is_finished[index] {
            return wrong("was finished twice".into());
        }
        self.is_finished[index] = true;
        let bucket = self.buckets.partition_point(|bucket| bucket.end <= index);
        self.waiting[bucket] -= 1;
        let first = self.started;
        self.started += self.waiting[first..].iter().take_while(|waiting| **waiting == 0).count();
        Ok(first..self.started)
    }

    /// Fails with the first range that is not finished.
    pub fn complete(&self) -> Result<(), Fault> {
        match self.is_finished.iter().position(|is_finished| !is_finished) {
            Some(index) => Err(Fault::Range { name: self.named[index].name.clone(), what: "was never finished".into() }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(lengths: &[usize]) -> Vec<Named> {
        let ends = lengths.iter().scan(0, |end, length| {
            *end += length;
            Some(*end)
        });
        ends.zip(lengths).enumerate().map(|(i, (end, length))| Named { name: format!("w{i}"), range: end - length..end }).collect()
    }

    #[test]
    fn buckets_hold_what_fits() {
        let of = |bytes| Plan::of(&named(&[10, 10, 30, 0, 5]), bytes).unwrap().buckets;
        assert_eq!(of(0), [0..1, 1..2, 2..3, 3..4, 4..5], "nothing fits: one range each");
        assert_eq!(of(80), [0..2, 2..3, 3..5], "a range that is larger than a bucket has one of its own");
        assert_eq!(of(120), [0..2, 2..4, 4..5]);
        assert_eq!(of(1 << 20), std::slice::from_ref(&(0..5)));
        assert_eq!(Plan::of(&[], 80).unwrap().buckets, []);
    }

    #[test]
    fn buckets_start_in_the_order_of_the_plan() {
        let mut plan = Plan::of(&named(&[10, 10, 30, 5]), 80).unwrap();
        for _ in 0..2 {
            assert_eq!(plan.finished(2, 30), Ok(0..0), "the second bucket waits for the first");
            assert_eq!(plan.finished(1, 10), Ok(0..0));
            assert_eq!(plan.finished(0, 10), Ok(0..2));
            assert!(plan.complete().is_err_and(|fault| fault.to_string().contains("w3 of the gradient was never finished")));
            assert_eq!(plan.finished(3, 5), Ok(2..3));
            assert_eq!(plan.complete(), Ok(()));
            plan.begin();
        }
    }

    #[test]
    fn what_was_not_announced_is_refused() {
        let mut plan = Plan::of(&named(&[10, 10]), 80).unwrap();
        assert!(matches!(plan.finished(2, 10), Err(Fault::Range { .. })));
        assert!(matches!(plan.finished(0, 9), Err(Fault::Range { .. })));
        plan.finished(0, 10).unwrap();
        assert!(matches!(plan.finished(0, 10), Err(Fault::Range { .. })));
        let overlapping = [Named { name: "a".into(), range: 0..4 }, Named { name: "b".into(), range: 3..5 }];
        assert!(matches!(Plan::of(&overlapping, 80), Err(Fault::Range { .. })));
    }
}
