//! The Gauss-Legendre rule: with n points exact for polynomials of degree 2n − 1.

use super::walk::Walk;
use super::{ChannelReduction, Integral, Path};
use crate::method::passes::Passes;
use crate::{Error, Outcome};

/// The integral by a fixed number of points; gradients are summed as they come.
pub(super) fn integrate(passes: &mut Passes, path: &Path, steps: usize, channels: ChannelReduction) -> Result<Integral, Error> {
    let mut walk = Walk::summing(passes, path)?;
    walk.visit(passes, &points(steps))?;
    let (map, total) = walk.attribution(&[], channels)?;
    let scores = passes.scores(path.target, [path.from.clone(), path.to.clone()])?;
    Ok(Integral { map, total, scores, steps, outcome: Outcome::FixedSteps })
}

/// Points in [0, 1] and their weights, which sum to one.
fn points(count: usize) -> Vec<(f64, f64)> {
    let point = |index: usize| {
        let root = root(count, index);
        let (_, slope) = legendre(count, root);
        // On [−1, 1] the weight is 2/((1 − z²)·P'²); half of it on an interval half as long.
        ((1.0 - root) / 2.0, 1.0 / ((1.0 - root * root) * slope * slope))
    };
    (0..count).map(point).collect()
}

/// The root of the Legendre polynomial that is `index`-th from 1 down, by Newton's steps from Tricomi's estimate.
fn root(count: usize, index: usize) -> f64 {
    let mut root = (std::f64::consts::PI * (index as f64 + 0.75) / (count as f64 + 0.5)).cos();
    for _ in 0..8 {
        let (value, slope) = legendre(count, root);
        root -= value / slope;
    }
    root
}

/// The Legendre polynomial of a degree and its slope at z, by the three-term recurrence.
fn legendre(degree: usize, z: f64) -> (f64, f64) {
    let (mut before, mut value) = (1.0, z);
    for n in 2..=degree {
        let n = n as f64;
        (before, value) = (value, ((2.0 * n - 1.0) * z * value - (n - 1.0) * before) / n);
    }
    (value, degree as f64 * (z * value - before) / (z * z - 1.0))
}

#[cfg(test)]
mod tests {
    use kernels::check::{Tolerance, assert_close};

    use super::*;

    #[test]
    fn polynomials_up_to_degree_two_n_minus_one_are_exact_and_the_next_is_not() {
        for count in [1, 2, 3, 7, 20] {
            let integral = |power: usize| points(count).iter().map(|(at, weight)| weight * at.powi(power as i32)).sum::<f64>();
            for power in 0..2 * count {
                assert_close("integral", &[integral(power)], &[1.0 / (power as f64 + 1.0)], Tolerance::absolute(1e-14));
            }
            if count < 7 {
                assert!((integral(2 * count) - 1.0 / (2.0 * count as f64 + 1.0)).abs() > 1e-9, "{count} points");
            }
        }
    }

    #[test]
    fn many_points_stay_in_order_and_weigh_one() {
        let points = points(4096);
        assert!(points.windows(2).all(|pair| pair[0].0 < pair[1].0) && points[0].0 > 0.0 && points[4095].0 < 1.0);
        assert_close("weights", &[points.iter().map(|(_, weight)| weight).sum::<f64>()], &[1.0], Tolerance::absolute(1e-12));
    }
}
