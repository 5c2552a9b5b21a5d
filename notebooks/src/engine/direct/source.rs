//! The text that the compiler sees, with the way back to the cells it came from.

use std::ops::Range;

/// What a piece of text around the user's own does; an error there needs other words.
#[derive(Clone, Debug, PartialEq)]
pub enum Mark {
    /// Takes a variable of an earlier cell.
    Load(String),
    /// Puts a variable of an earlier cell back.
    PutBack(String),
    /// Keeps a new variable.
    Keep(String),
    /// Asks for a new variable's type.
    Probe(String),
    /// Shows the last expression.
    Tail,
}

/// A place in a cell's own text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot {
    /// The cell's number.
    pub cell: usize,
    /// Bytes from its start.
    pub offset: usize,
}

/// Generated text, piece by piece.
#[derive(Clone, Debug, Default)]
pub struct Source {
    text: String,
    pieces: Vec<(Range<usize>, Spot)>,
    marks: Vec<(Range<usize>, Mark)>,
}

impl Source {
    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Adds text that is not the user's.
    pub fn glue(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Adds text that is not the user's and that errors may point at.
    pub fn marked(&mut self, text: &str, mark: Mark) {
        let start = self.text.len();
        self.text.push_str(text);
        self.marks.push((start..self.text.len(), mark));
    }

    /// Adds a range of a cell's own text, with `inserted` at the given offsets of the cell.
    pub fn own(&mut self, cell: usize, text: &str, range: Range<usize>, inserted: &[(usize, &str)]) {
        let mut from = range.start;
        for (at, extra) in inserted.iter().filter(|(at, _)| range.contains(at)) {
            self.piece(cell, text, from..*at);
            self.text.push_str(extra);
            from = *at;
        }
        self.piece(cell, text, from..range.end);
    }

    /// Adds text that is not the user's but stands for a place of a cell: the bracket around an expression, the end behind it.
    pub fn standing_for(&mut self, spot: Spot, text: &str) {
        let start = self.text.len();
        self.text.push_str(text);
        self.pieces.push((start..self.text.len(), spot));
    }

    fn piece(&mut self, cell: usize, text: &str, range: Range<usize>) {
        let start = self.text.len();
        self.text.push_str(&text[range.clone()]);
        self.pieces.push((start..self.text.len(), Spot { cell, offset: range.start }));
    }

    /// Where a byte of the whole text stands in a cell; the end of a piece belongs to it.
    pub fn spot(&self, at: usize) -> Option<Spot> {
        let holds = |(range, _): &&(Range<usize>, Spot)| range.start <= at && at < range.end;
        let ends = |(range, _): &&(Range<usize>, Spot)| range.end == at;
        let (range, spot) = self.pieces.iter().find(holds).or_else(|| self.pieces.iter().find(ends))?;
        Some(Spot { cell: spot.cell, offset: spot.offset + at - range.start })
    }

    /// What the text at this byte is for.
    pub fn mark(&self, at: usize) -> Option<&Mark> {
        self.marks.iter().find(|(range, _)| range.contains(&at)).map(|(_, mark)| mark)
    }

    /// Where a line and a column (both from 1, columns count characters) stand in a cell.
    pub fn spot_of_line(&self, line: usize, column: usize) -> Option<Spot> {
        let start: usize = self.text.split_inclusive('\n').take(line.checked_sub(1)?).map(str::len).sum();
        let text = self.text[start..].split('\n').next()?;
        let within = text.char_indices().nth(column.saturating_sub(1)).map_or(text.len(), |(at, _)| at);
        self.spot(start + within)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_passes_what_was_inserted() {
        let cell = "for i in 0..3 { work(i) }";
        let mut source = Source::default();
        source.glue("fn glue() {\n");
        source.own(4, cell, 0..cell.len(), &[(15, " check();")]);
        source.marked("put(x);", Mark::Keep("x".into()));
        let at = source.text().find("work").expect("it is there");
        assert_eq!(source.spot(at), Some(Spot { cell: 4, offset: 16 }));
        assert_eq!(source.spot(3), None);
        assert_eq!(source.mark(source.text().find("put").expect("it is there")), Some(&Mark::Keep("x".into())));
        assert_eq!(source.spot_of_line(2, 1), Some(Spot { cell: 4, offset: 0 }));
        assert_eq!(source.spot_of_line(1, 3), None);
    }
}
