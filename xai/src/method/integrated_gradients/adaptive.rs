//! Adaptive Simpson whose error is measured, not estimated.
//!
//! On a segment from `a` to `b` the gradients along the path must integrate to `score(b) − score(a)`, and both scores are
//! known from the passes that gave the gradients. So every segment's own gap is known, and refinement goes where it is.
//! Halving a segment asks for two new points; the three old ones serve again.

use super::walk::{Visit, Walk};
use super::{ChannelReduction, Integral, Path};
use crate::method::passes::Passes;
use crate::{Error, Outcome};

/// Segments at the start: 17 points.
const FIRST: usize = 8;

/// Gaps of segments may sum to this many times the tolerance before they cancel.
const CANCELLING: f64 = 5.0;

/// A gap below this, in units of the score, is what an f32 pass itself may be off.
const ROUNDING: f64 = 1e-4;

/// Three nodes at equal distances, by index.
#[derive(Clone, Copy)]
struct Segment {
    ends: [usize; 3],
    /// What its slopes integrate to, minus what the score really gains.
    gap: f64,
}

pub(super) fn integrate(
    passes: &mut Passes,
    path: &Path,
    (tolerance, most): (f64, usize),
    channels: ChannelReduction,
) -> Result<Integral, Error> {
    let mut line = Line { walk: Walk::keeping(passes, path)?, nodes: Vec::new() };
    let mut segments = line.start(passes, FIRST.min((most - 1) / 2))?;
    let scores = [&line.nodes[0], &line.nodes[line.nodes.len() - 1]].map(|node| node.score);
    let allowed = f64::max(tolerance * (scores[1] - scores[0]).abs(), ROUNDING);
    let outcome = loop {
        let (gap, without_cancelling) = sums(&segments);
        if gap.abs() <= allowed && without_cancelling <= CANCELLING * allowed {
            break Outcome::ToleranceMet;
        }
        let room = (most - line.nodes.len()) / 2;
        if room == 0 {
            break Outcome::StepLimit;
        }
        let halved = take_worst(&mut segments, room, without_cancelling / 2.0);
        segments.extend(line.halve(passes, &halved)?);
    };
    let (steps, weights) = (line.nodes.len(), line.weights(&segments));
    let (map, total) = line.walk.attribution(&weights, channels)?;
    Ok(Integral { map, total, scores, steps, outcome })
}

fn sums(segments: &[Segment]) -> (f64, f64) {
    segments.iter().fold((0.0, 0.0), |(gap, all), segment| (gap + segment.gap, all + segment.gap.abs()))
}

/// Takes out the segments of the largest gaps: `room` of them at most, and no more than hold `share` together.
fn take_worst(segments: &mut Vec<Segment>, room: usize, share: f64) -> Vec<Segment> {
    // Equal gaps in the order of the path, so that nothing is left to chance.
    segments.sort_by(|a, b| b.gap.abs().total_cmp(&a.gap.abs()).then(a.ends.cmp(&b.ends)));
    let mut held = 0.0;
    let enough = |segment: &Segment| {
        held += segment.gap.abs();
        held >= share
    };
    let count = segments.iter().position(enough).map_or(segments.len(), |last| last + 1);
    segments.drain(..count.min(room)).collect()
}

/// The path as far as it is known.
struct Line<'a> {
    walk: Walk<'a>,
    nodes: Vec<Visit>,
}

impl Line<'_> {
    /// So many segments of equal length, the nodes in the order of the path.
    fn start(&mut self, passes: &mut Passes, count: usize) -> Result<Vec<Segment>, Error> {
        let points: Vec<f64> = (0..=2 * count).map(|index| index as f64 / (2 * count) as f64).collect();
        self.visit(passes, &points)?;
        Ok((0..count).map(|index| self.segment([2 * index, 2 * index + 1, 2 * index + 2])).collect())
    }

    /// The halves of some segments.
    fn halve(&mut self, passes: &mut Passes, segments: &[Segment]) -> Result<Vec<Segment>, Error> {
        let between = |a: usize, b: usize| (self.nodes[a].at + self.nodes[b].at) / 2.0;
        let points: Vec<f64> = segments.iter().flat_map(|Segment { ends: [a, b, c], .. }| [between(*a, *b), between(*b, *c)]).collect();
        let first = self.nodes.len();
        self.visit(passes, &points)?;
        let halves = segments
            .iter()
            .zip((first..).step_by(2))
            .flat_map(|(Segment { ends: [a, b, c], .. }, new)| [[*a, new, *b], [*b, new + 1, *c]].map(|ends| self.segment(ends)));
        Ok(halves.collect())
    }

    fn visit(&mut self, passes: &mut Passes, points: &[f64]) -> Result<(), Error> {
        let points: Vec<_> = points.iter().map(|at| (*at, 0.0)).collect();
        self.nodes.extend(self.walk.visit(passes, &points)?);
        Ok(())
    }

    fn segment(&self, ends: [usize; 3]) -> Segment {
        let [a, b, c] = ends.map(|end| &self.nodes[end]);
        let integral = (c.at - a.at) / 6.0 * (a.slope + 4.0 * b.slope + c.slope);
        Segment { ends, gap: integral - (c.score - a.score) }
    }

    /// Every node's weight in Simpson's rule.
    fn weights(&self, segments: &[Segment]) -> Vec<f64> {
        let mut weights = vec![0.0; self.nodes.len()];
        for Segment { ends: [a, b, c], .. } in segments {
            let sixth = (self.nodes[*c].at - self.nodes[*a].at) / 6.0;
            [(a, 1.0), (b, 4.0), (c, 1.0)].into_iter().for_each(|(node, times)| weights[*node] += times * sixth);
        }
        weights
    }
}
