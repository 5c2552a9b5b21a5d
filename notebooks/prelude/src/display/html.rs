//! HTML out of texts that come from anywhere.

use workbench::names::is_hidden;

/// Most characters of one cell of a table.
const LONGEST_CELL: usize = 80;

/// Text that stands in HTML, or in an attribute's quotes, as it is; what would act unseen is written as its number.
///
/// ```
/// assert_eq!(pellucid::display::escaped("<a b=\"c\">\u{202e}"), "&lt;a b=&quot;c&quot;&gt;\\u{202e}");
/// ```
pub fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\n' | '\t' => safe.push(c),
            c if is_hidden(c) => safe.extend(c.escape_unicode()),
            c => safe.push(c),
        }
    }
    safe
}

/// The same, cut where it is too long for a cell.
pub(super) fn cell(text: &str) -> String {
    if text.chars().count() <= LONGEST_CELL {
        return escaped(text);
    }
    let cut: String = text.chars().take(LONGEST_CELL - 1).collect();
    escaped(&cut) + "…"
}

/// A table: heads and rows are HTML already.
pub(super) fn table(heads: &[String], rows: &[Vec<String>]) -> String {
    let head: String = heads.iter().map(|head| format!("<th style=\"text-align: right\">{head}</th>")).collect();
    let head = if heads.is_empty() { head } else { format!("<thead><tr>{head}</tr></thead>") };
    let row = |cells: &Vec<String>| {
        let cells: String = cells.iter().map(|cell| format!("<td style=\"text-align: right; white-space: nowrap\">{cell}</td>")).collect();
        format!("<tr>{cells}</tr>")
    };
    let body: String = rows.iter().map(row).collect();
    format!("<table class=\"dataframe\" style=\"font-variant-numeric: tabular-nums\">{head}<tbody>{body}</tbody></table>")
}

/// A table of names and what they are; values are HTML already.
pub(super) fn facts(rows: &[(&str, String)]) -> String {
    let row = |(name, value): &(&str, String)| {
        format!("<tr><th style=\"text-align: left\">{}</th><td style=\"text-align: left\">{value}</td></tr>", escaped(name))
    };
    format!("<table class=\"dataframe\"><tbody>{}</tbody></table>", rows.iter().map(row).collect::<String>())
}

/// A line that stands back.
pub(super) fn aside(text: &str) -> String {
    format!("<div style=\"opacity: 0.75; font-size: 0.9em\">{}</div>", escaped(text))
}
