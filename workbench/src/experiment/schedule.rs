//! The learning rate over a run: up along a line, down along a cosine.

use super::TrainingPlan;

/// The rate of step `step` of `steps`.
pub fn rate(plan: &TrainingPlan, step: usize, steps: usize) -> f64 {
    let at = (step as f64 + 0.5) / steps.max(1) as f64;
    if at < plan.warmup {
        return plan.rate * at / plan.warmup;
    }
    let after = (at - plan.warmup) / (1.0 - plan.warmup).max(f64::EPSILON);
    plan.rate * 0.5 * (1.0 + (std::f64::consts::PI * after.min(1.0)).cos())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rises_to_the_rate_and_falls_to_zero() {
        let plan = TrainingPlan { epochs: 1, batch: 1, rate: 2.0, warmup: 0.1, decay: 0.0, clip: 1.0 };
        let rates: Vec<f64> = (0..1000).map(|step| rate(&plan, step, 1000)).collect();
        let top = rates.iter().position(|&r| r == rates.iter().copied().fold(0.0, f64::max)).unwrap_or(0);
        assert!((99..=101).contains(&top) && (rates[top] - 2.0).abs() < 0.02, "highest at {top}");
        assert!(rates[0] < 0.02 && rates[999] < 1e-4);
        assert!(rates[..top].is_sorted() && rates[top..].iter().rev().is_sorted());
    }
}
