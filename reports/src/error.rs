//! The errors of this crate: what is wrong, where, and what to do about it.

/// Why a number, a table or a figure was refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is nothing to measure.
    #[error("no samples in {what}: give at least one")]
    NoSamples {
        /// Which input is empty.
        what: &'static str,
    },
    /// A classification needs an alternative.
    #[error("{found} class name(s): a classification needs at least two")]
    TooFewClasses {
        /// How many names were given.
        found: usize,
    },
    /// Two classes cannot be told apart by name.
    #[error("class name {name:?} stands at {first} and at {second}: give every class its own name")]
    RepeatedClass {
        /// The repeated name.
        name: String,
        /// Index of its first appearance.
        first: usize,
        /// Index of its second appearance.
        second: usize,
    },
    /// Two inputs that belong together differ in length.
    #[error("{what}: expected {expected}, found {found}; every entry needs its counterpart")]
    Length {
        /// Which inputs, and where.
        what: String,
        /// The length asked for.
        expected: usize,
        /// The length given.
        found: usize,
    },
    /// A true class does not exist.
    #[error("true class {class} of sample {sample} is out of range: the {classes} classes count from 0")]
    ClassOutOfRange {
        /// Which sample.
        sample: usize,
        /// The class index given.
        class: usize,
        /// How many classes there are.
        classes: usize,
    },
    /// A sample index does not exist.
    #[error("sample {index} is out of range: there are {samples} samples, counted from 0")]
    SampleOutOfRange {
        /// The index given.
        index: usize,
        /// How many samples there are.
        samples: usize,
    },
    /// A probability is NaN, infinite, or below zero.
    #[error("probability {value} of sample {sample}, class {class} is not a finite number from 0 up: give probabilities, not logits")]
    InvalidProbability {
        /// Which sample.
        sample: usize,
        /// Which class.
        class: usize,
        /// The value given.
        value: f64,
    },
    /// A row of probabilities does not sum to one.
    #[error("probabilities of sample {sample} sum to {sum}, not to 1 within 1e-4: apply a softmax first")]
    RowSum {
        /// Which sample.
        sample: usize,
        /// The sum found.
        sum: f64,
    },
    /// The counts of a matrix exceed 64 bits.
    #[error("the counts of the confusion matrix sum to more than {}: check the input", u64::MAX)]
    CountOverflow,
    /// A value is NaN or infinite.
    #[error("value {value} at {index} is not finite: remove it or find out where it comes from")]
    NotFinite {
        /// Where it stands.
        index: usize,
        /// The value given.
        value: f64,
    },
    /// More successes than trials.
    #[error("{successes} successes out of {trials} trials: a proportion needs trials >= 1 and successes <= trials")]
    NoProportion {
        /// Successes given.
        successes: u64,
        /// Trials given.
        trials: u64,
    },
    /// An interval needs more data than there are.
    #[error("{found} {what}: an interval needs at least {needed}")]
    TooFew {
        /// What is counted.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many are needed.
        needed: usize,
    },
    /// The statistic has no value on the data, or on no resample of them.
    #[error("the statistic is undefined on {on}: there is nothing to put an interval around")]
    UndefinedStatistic {
        /// On what it is undefined.
        on: &'static str,
    },
}
