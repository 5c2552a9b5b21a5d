//! Markdown tables, aligned so that they read well as plain text too.

use std::fmt;

/// A Markdown table; [`fmt::Display`] writes it.
///
/// ```
/// use reports::table::{Align, Column, Table, percent};
///
/// let mut table = Table::new(vec![Column::new("class", Align::Left), Column::new("recall", Align::Right)]);
/// table.push(vec!["melanoma".into(), percent(Some(0.875))]);
/// table.push(vec!["nevus".into(), percent(None)]);
/// assert_eq!(table.to_string(), "\
/// | class    | recall |
/// |:---------|-------:|
/// | melanoma | 87.5 % |
/// | nevus    |      – |
/// ");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

/// Heading and alignment of a column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    heading: String,
    align: Align,
}

/// To which side the cells of a column stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// For words.
    Left,
    /// For numbers.
    Right,
}

impl Column {
    /// A column; the heading is escaped like every cell.
    pub fn new(heading: &str, align: Align) -> Column {
        Column { heading: escape(heading), align }
    }
}

impl Table {
    /// A table without rows.
    pub fn new(columns: Vec<Column>) -> Table {
        Table { columns, rows: Vec::new() }
    }

    /// Adds a row. Pipes and line breaks are escaped; missing cells stay empty, and a row longer than the heading
    /// gets further columns without a heading, so that no cell is lost.
    pub fn push(&mut self, cells: Vec<String>) {
        while self.columns.len() < cells.len() {
            self.columns.push(Column::new("", Align::Left));
        }
        self.rows.push(cells.iter().map(|cell| escape(cell)).collect());
    }

    fn width(&self, column: usize) -> usize {
        let cells = self.rows.iter().filter_map(|row| row.get(column));
        let widest = cells.map(|cell| cell.chars().count()).max().unwrap_or(0);
        // Three characters is the least a separator needs.
        widest.max(self.columns[column].heading.chars().count()).max(3)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths: Vec<usize> = (0..self.columns.len()).map(|column| self.width(column)).collect();
        let headings: Vec<String> = self.columns.iter().map(|column| column.heading.clone()).collect();
        self.write_row(f, &headings, &widths)?;
        for (column, width) in self.columns.iter().zip(&widths) {
            match column.align {
                Align::Left => write!(f, "|:{}", "-".repeat(width + 1))?,
                Align::Right => write!(f, "|{}:", "-".repeat(width + 1))?,
            }
        }
        writeln!(f, "|")?;
        self.rows.iter().try_for_each(|row| self.write_row(f, row, &widths))
    }
}

impl Table {
    fn write_row(&self, f: &mut fmt::Formatter<'_>, cells: &[String], widths: &[usize]) -> fmt::Result {
        for (index, (column, &width)) in self.columns.iter().zip(widths).enumerate() {
            let cell = cells.get(index).map_or("", String::as_str);
            match column.align {
                Align::Left => write!(f, "| {cell:<width$} ")?,
                Align::Right => write!(f, "| {cell:>width$} ")?,
            }
        }
        writeln!(f, "|")
    }
}

/// A share as a percentage with one decimal, an en dash when it is undefined.
pub fn percent(share: Option<f64>) -> String {
    share.map_or_else(undefined, |share| format!("{:.1} %", 100.0 * share))
}

/// A number with three decimals, an en dash when it is undefined.
pub fn decimal(value: Option<f64>) -> String {
    value.map_or_else(undefined, |value| format!("{value:.3}"))
}

fn undefined() -> String {
    "–".into()
}

fn escape(cell: &str) -> String {
    cell.replace('\\', "\\\\").replace('|', "\\|").replace("\r\n", " ").replace(['\r', '\n'], " ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn two_columns() -> Table {
        Table::new(vec![Column::new("a", Align::Left), Column::new("b", Align::Right)])
    }

    #[test]
    fn short_and_long_rows_lose_nothing() {
        let mut table = two_columns();
        table.push(vec!["1".into()]);
        table.push(vec!["1".into(), "2".into(), "3".into()]);
        let expected = "\
| a   |   b |     |
|:----|----:|:----|
| 1   |     |     |
| 1   |   2 | 3   |
";
        assert_eq!(table.to_string(), expected);
    }

    proptest! {
        /// Whatever a cell holds, it stays in its cell and every line is equally wide.
        #[test]
        fn cells_cannot_break_out(cells in prop::collection::vec(".*", 2), breaks in "[|\r\n\\\\]{0,5}") {
            let mut table = two_columns();
            table.push(vec![format!("{}{breaks}", cells[0]), cells[1].clone()]);
            let text = table.to_string();
            let lines: Vec<&str> = text.split('\n').collect();
            prop_assert_eq!(lines.len(), 4);
            prop_assert_eq!(lines[0].chars().count(), lines[2].chars().count());
            prop_assert_eq!(unescaped_pipes(lines[2]), 3);
        }
    }

    fn unescaped_pipes(line: &str) -> usize {
        let step = |(pipes, escaped): (usize, bool), c: char| match (escaped, c) {
            (false, '\\') => (pipes, true),
            (false, '|') => (pipes + 1, false),
            _ => (pipes, false),
        };
        line.chars().fold((0, false), step).0
    }
}
