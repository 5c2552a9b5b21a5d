//! What must hold before a time means anything.

use serde::Serialize;

/// On which side of its limit a number must lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    AtMost,
    AtLeast,
}

/// One comparison: what was seen, and what is allowed. What is no number fails.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Gate {
    pub what: String,
    /// How numbers are kept.
    pub numbers: String,
    pub bound: Bound,
    pub limit: f64,
    /// Null in JSON where it is no number.
    pub seen: f64,
    pub passed: bool,
    /// Why nothing was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

/// The gates so far.
#[derive(Debug, Default)]
pub struct Gates {
    pub all: Vec<Gate>,
}

impl Gates {
    pub fn at_most(&mut self, what: impl Into<String>, numbers: impl ToString, limit: f64, seen: f64) {
        self.add(what.into(), numbers.to_string(), Bound::AtMost, limit, seen);
    }

    pub fn at_least(&mut self, what: impl Into<String>, numbers: impl ToString, limit: f64, seen: f64) {
        self.add(what.into(), numbers.to_string(), Bound::AtLeast, limit, seen);
    }

    /// Something did not run at all.
    pub fn fault(&mut self, what: impl Into<String>, numbers: impl ToString, fault: impl ToString) {
        self.at_most(what, numbers, 0.0, f64::NAN);
        if let Some(last) = self.all.last_mut() {
            last.fault = Some(fault.to_string());
        }
    }

    fn add(&mut self, what: String, numbers: String, bound: Bound, limit: f64, seen: f64) {
        let passed = match bound {
            Bound::AtMost => seen <= limit,
            Bound::AtLeast => seen >= limit,
        };
        self.all.push(Gate { what, numbers, bound, limit, seen, passed, fault: None });
    }

    pub fn failed(&self) -> impl Iterator<Item = &Gate> {
        self.all.iter().filter(|gate| !gate.passed)
    }
}

impl std::fmt::Display for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let Self { what, numbers, limit, seen, .. } = self;
        let bound = if self.bound == Bound::AtMost { "at most" } else { "at least" };
        match &self.fault {
            Some(fault) => write!(f, "{what} in {numbers}: {fault}"),
            None => write!(f, "{what} in {numbers}: {seen:.3e} was seen, {bound} {limit} is allowed"),
        }
    }
}

/// The length of the difference over that of what was expected; NaN where one of them is, or where lengths differ.
pub fn off(found: &[f64], expected: &[f64]) -> f64 {
    if found.len() != expected.len() {
        return f64::NAN;
    }
    let (difference, size) = found.iter().zip(expected).fold((0.0, 0.0), |(d, s), (a, b)| (d + (a - b) * (a - b), s + b * b));
    (difference / size).sqrt()
}

/// The cosine between what was found and what was expected; NaN as above.
pub fn cosine(found: &[f64], expected: &[f64]) -> f64 {
    if found.len() != expected.len() {
        return f64::NAN;
    }
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    dot(found, expected) / (dot(found, found) * dot(expected, expected)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_fails_on_both_sides() {
        let mut gates = Gates::default();
        gates.at_most("a", "f32", 1.0, f64::NAN);
        gates.at_least("b", "f32", 0.0, f64::NAN);
        gates.at_most("c", "f32", 1.0, 1.1);
        gates.at_least("d", "f32", 1.0, 0.9);
        gates.fault("e", "f32", "no such kernel");
        assert_eq!(gates.failed().count(), 5);
        gates.at_most("f", "f32", 1.0, 1.0);
        gates.at_least("g", "f32", 1.0, 1.0);
        assert_eq!(gates.failed().count(), 5);
    }

    #[test]
    fn distances_see_differences_and_lost_numbers() {
        assert_eq!((off(&[3.0, 0.0], &[3.0, 4.0]), cosine(&[2.0, 0.0], &[1.0, 0.0])), (0.8, 1.0));
        for wrong in [off(&[f64::NAN], &[1.0]), off(&[1.0], &[]), off(&[0.0], &[0.0]), cosine(&[1.0], &[0.0]), cosine(&[1.0, 2.0], &[1.0])]
        {
            assert!(wrong.is_nan());
        }
    }
}
