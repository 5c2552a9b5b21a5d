//! What a trace is drawn as, in the coordinates of its axes.

/// A stroke.
#[derive(Clone, Debug)]
pub struct Stroke {
    pub colour: String,
    pub width: f64,
    pub dash: &'static str,
}

/// One mark.
#[derive(Clone, Debug)]
pub enum Mark {
    /// A rectangle between two x and two y.
    Area { x: (f64, f64), y: (f64, f64), colour: String },
    /// A line through points; `None` parts it.
    Line { points: Vec<Option<(f64, f64)>>, stroke: Stroke },
    /// Points.
    Dots { points: Vec<(f64, f64)>, colour: String, radius: f64 },
    /// A text beside a point.
    Label { at: (f64, f64), text: String, side: Side },
}

/// Where a label stands, seen from its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Right,
    Above,
}

/// A trace as it is drawn.
#[derive(Clone, Debug, Default)]
pub struct Drawn {
    pub marks: Vec<Mark>,
    /// Its axes: `x2`, `y`.
    pub axes: (String, String),
    /// Name and stroke for the legend.
    pub legend: Option<(String, Stroke)>,
    /// A scale of colours: anchors from low to high, and the values at its ends.
    pub scale: Option<ColourScale>,
}

/// Anchors of colours from low to high, and the values at their ends.
pub type ColourScale = (Vec<(f64, [u8; 3])>, (f64, f64));

impl Mark {
    /// Every x and y that the axes must hold.
    pub fn extent(&self) -> Vec<(f64, f64)> {
        match self {
            Self::Area { x, y, .. } => vec![(x.0, y.0), (x.1, y.1)],
            Self::Line { points, .. } => points.iter().flatten().copied().collect(),
            Self::Dots { points, .. } => points.clone(),
            Self::Label { .. } => Vec::new(),
        }
    }

    /// Whether its ends are its own: a bar may touch the edge, a point may not.
    pub fn is_area(&self) -> bool {
        matches!(self, Self::Area { .. })
    }
}
