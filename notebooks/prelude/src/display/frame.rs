//! Data frames: the first rows as a table.

use polars::prelude::{AnyValue, Column, DataFrame, LazyFrame, Series};

use super::Rendering;
use super::html::{aside, cell, escaped, table};

/// Rows and columns that are shown.
const MOST_ROWS: usize = 12;
const MOST_COLUMNS: usize = 24;

pub fn frame(frame: &DataFrame) -> Rendering {
    let (rows, columns) = frame.shape();
    let shape = format!("{rows} rows × {columns} columns");
    let shown: Vec<&Column> = frame.columns().iter().take(MOST_COLUMNS).collect();
    let head = |column: &&Column| {
        let kind = escaped(&column.dtype().to_string());
        format!("{}<br><span style=\"font-weight: normal; opacity: 0.7\">{kind}</span>", cell(column.name()))
    };
    let heads: Vec<String> = shown.iter().map(head).collect();
    let row = |row: usize| shown.iter().map(|column| column.get(row).map_or_else(|_| String::new(), |value| cell_of(&value))).collect();
    let body: Vec<Vec<String>> = (0..rows.min(MOST_ROWS)).map(row).collect();
    let left = [(rows, MOST_ROWS, "rows"), (columns, MOST_COLUMNS, "columns")];
    let left = left.iter().filter(|(all, most, _)| all > most).map(|(all, most, what)| format!(", {} more {what}", all - most));
    let html = table(&heads, &body) + &aside(&(shape + &left.collect::<String>()));
    Rendering::text(frame.to_string()).with_html(html)
}

/// The first rows of what is not computed yet; the rest stays uncomputed.
pub fn lazy(lazy: &LazyFrame) -> Rendering {
    match lazy.clone().limit(MOST_ROWS as u32).collect() {
        Ok(first) => {
            let note = "LazyFrame, its first rows; collect() computes all";
            let shown = frame(&first);
            Rendering::text(format!("{note}\n{}", shown.plain)).with_html(aside(note) + &shown.to_html())
        }
        Err(problem) => Rendering::text(format!("LazyFrame that cannot be computed: {problem}")),
    }
}

pub fn series(series: &Series) -> Rendering {
    Rendering { plain: series.to_string(), ..frame(&series.clone().into_frame()) }
}

fn cell_of(value: &AnyValue) -> String {
    match value {
        AnyValue::Null => "<span style=\"opacity: 0.5\">null</span>".into(),
        AnyValue::String(text) => cell(text),
        AnyValue::StringOwned(text) => cell(text),
        value => cell(&value.to_string()),
    }
}
