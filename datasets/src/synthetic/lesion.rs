//! The picture's part that a lesion reaches, on which recipes lay their structures.

use super::coverage::Coverage;
use super::elementary::smoothstep;
use super::finding::Finding;
use super::noise::Noise;
use super::outline::Outline;
use super::point::{Point, View};
use super::tissue::Tissue;

/// One pixel of the lesion or just outside it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Site {
    /// Index into the picture, row by row.
    pub pixel: usize,
    /// Place in the lesion's frame, in millimetres.
    pub at: Point,
    /// Depth inside the outline: see [`Outline::depth`].
    pub depth: f32,
    /// What the lesion has put here so far.
    pub tissue: Tissue,
}

/// A lesion being drawn.
#[derive(Clone, Debug)]
pub(super) struct Lesion {
    pub outline: Outline,
    pub view: View,
    pub sites: Vec<Site>,
    pub findings: Vec<Finding>,
}

/// How far outside the border, in shares of the radius, a lesion may still colour the skin.
const MARGIN: f32 = 0.55;

impl Lesion {
    pub(super) fn new(outline: Outline, view: View) -> Lesion {
        let reach = outline.reach_mm() * (1.0 + MARGIN) * view.scale();
        let limit = |v: f32| v.clamp(0.0, view.size as f32) as u32;
        let mut sites = Vec::new();
        for y in limit(view.centre.y - reach)..limit(view.centre.y + reach + 1.0) {
            for x in limit(view.centre.x - reach)..limit(view.centre.x + reach + 1.0) {
                let at = view.to_lesion(Point::new(y as f32 + 0.5, x as f32 + 0.5));
                let depth = outline.depth(at);
                if depth > -MARGIN {
                    sites.push(Site { pixel: (y * view.size + x) as usize, at, depth, tissue: Tissue::default() });
                }
            }
        }
        Lesion { outline, view, sites, findings: Vec::new() }
    }

    /// Mean radius in millimetres.
    pub(super) fn radius_mm(&self) -> f32 {
        self.outline.radius_mm()
    }

    pub(super) fn each(&mut self, change: impl Fn(&mut Site)) {
        self.sites.iter_mut().for_each(change);
    }

    /// An empty plane over the picture, to draw strokes on and then [`Lesion::stamp`].
    pub(super) fn sheet(&self) -> Coverage {
        Coverage::new(self.view.size)
    }

    /// Applies what was drawn on a sheet, inside the border only (softly).
    pub(super) fn stamp(&mut self, sheet: &Coverage, change: impl Fn(&mut Tissue, f32)) {
        let plane = sheet.plane();
        for site in &mut self.sites {
            let cover = plane[site.pixel];
            if cover > 0.0 {
                change(&mut site.tissue, cover * smoothstep(-0.22, 0.02, site.depth));
            }
        }
    }

    /// As [`Lesion::stamp`], with noise that bends the shapes' borders and clouds their inside; cover may pass 1 a little.
    pub(super) fn stamp_clouded(&mut self, sheet: &Coverage, rough: Noise, change: impl Fn(&mut Tissue, f32)) {
        let plane = sheet.plane();
        for site in &mut self.sites {
            let cover = plane[site.pixel];
            if cover > 0.0 {
                let cloud = rough.fractal(site.at.scaled(1.9), 3);
                let here = smoothstep(0.2, 0.8, cover + 0.28 * cloud) * smoothstep(-0.1, 0.1, site.depth);
                change(&mut site.tissue, here * (1.0 + 0.4 * cloud).max(0.0));
            }
        }
    }

    /// Notes that a structure was drawn, once.
    pub(super) fn found(&mut self, finding: Finding) {
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }
}
