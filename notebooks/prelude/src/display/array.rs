//! Arrays: shape, range and a glimpse of the last two dimensions.

use std::any::type_name;
use std::fmt::{Debug, Display};

use ndarray::{ArrayViewD, Axis};

use super::Rendering;
use super::html::{aside, table};

/// Rows or columns that are shown in full; of more, so many from each end.
const WHOLE: usize = 12;
const AT_EACH_END: usize = 4;

/// A number that an array may hold.
pub trait Cell: Copy + Debug + Display + 'static {
    /// As a number with which ranges can be told.
    fn number(self) -> f64;
    /// Short, in a table.
    fn short(self) -> String {
        self.to_string()
    }
}

macro_rules! cells {
    ($($whole:ty),+) => {
        $(impl Cell for $whole {
            fn number(self) -> f64 {
                self as f64
            }
        })+
    };
}

cells!(i32, i64, u8, u16, u32, u64, usize);

impl Cell for bool {
    fn number(self) -> f64 {
        f64::from(u8::from(self))
    }
}

impl Cell for f32 {
    fn number(self) -> f64 {
        self.into()
    }

    fn short(self) -> String {
        short(self.into())
    }
}

impl Cell for f64 {
    fn number(self) -> f64 {
        self
    }

    fn short(self) -> String {
        short(self)
    }
}

/// Four digits, with an exponent where the number is far from one.
pub(super) fn short(value: f64) -> String {
    if value == 0.0 || !value.is_finite() || (1e-3..1e5).contains(&value.abs()) {
        let places = if value.fract() == 0.0 || !value.is_finite() { 0 } else { 4 };
        return format!("{value:.places$}");
    }
    format!("{value:.3e}")
}

pub fn array<A: Cell>(array: ArrayViewD<A>) -> Rendering {
    let (glimpse, note) = glimpse(&array);
    let facts = format!("array {} of {}{}{note}", shape(array.shape()), type_name::<A>(), range(array.iter().map(|cell| cell.number())));
    let plain = format!("{facts}\n{array:?}");
    if array.is_empty() {
        return Rendering::text(facts);
    }
    let wide = glimpse.shape()[1];
    let heads: Vec<String> = std::iter::once(String::new()).chain(shown(wide).into_iter().map(index_or_dots)).collect();
    let cell = |row: usize, col: usize| glimpse.get([row, col]).map_or(String::new(), |cell| cell.short());
    let row = |row: Option<usize>| {
        let name = format!("<strong>{}</strong>", index_or_dots(row));
        let cells = shown(wide).into_iter().map(|col| row.zip(col).map_or("…".into(), |(row, col)| cell(row, col)));
        std::iter::once(name).chain(cells).collect()
    };
    let rows: Vec<Vec<String>> = shown(glimpse.shape()[0]).into_iter().map(row).collect();
    Rendering::text(plain).with_html(table(&heads, &rows) + &aside(&facts))
}

/// The last two dimensions at the start of all others.
fn glimpse<'a, A: Cell>(array: &ArrayViewD<'a, A>) -> (ArrayViewD<'a, A>, String) {
    let mut view = array.clone();
    let leading = view.ndim().saturating_sub(2);
    if view.is_empty() {
        return (view, String::new());
    }
    for _ in 0..leading {
        view = view.index_axis_move(Axis(0), 0);
    }
    while view.ndim() < 2 {
        view = view.insert_axis(Axis(0));
    }
    let note = if leading > 0 { format!("; shown at [{}..]", "0, ".repeat(leading)) } else { String::new() };
    (view, note)
}

/// `(2, 3)`.
pub(super) fn shape(sides: &[usize]) -> String {
    format!("({})", sides.iter().map(usize::to_string).collect::<Vec<_>>().join(", "))
}

/// Smallest, largest and mean of what is finite, and how many are not.
pub(super) fn range(values: impl Iterator<Item = f64>) -> String {
    let (mut low, mut high, mut sum, mut finite, mut other) = (f64::INFINITY, f64::NEG_INFINITY, 0.0, 0_u64, 0_u64);
    for value in values {
        if value.is_finite() {
            (low, high, sum, finite) = (low.min(value), high.max(value), sum + value, finite + 1);
        } else {
            other += 1;
        }
    }
    let broken = if other > 0 { format!(", {other} not finite") } else { String::new() };
    match finite {
        0 => broken,
        _ => format!(", {} to {}, mean {}{broken}", short(low), short(high), short(sum / finite as f64)),
    }
}

/// Indices to show, `None` for what lies between.
fn shown(length: usize) -> Vec<Option<usize>> {
    if length <= WHOLE {
        return (0..length).map(Some).collect();
    }
    (0..AT_EACH_END).map(Some).chain([None]).chain((length - AT_EACH_END..length).map(Some)).collect()
}

fn index_or_dots(index: Option<usize>) -> String {
    index.map_or("…".into(), |index| index.to_string())
}
