//! The pickle of a checkpoint, walked instruction by instruction; nothing is called and nothing is imported.
//!
//! This is no virtual machine: of pickle's 68 instructions those are known that `torch.save` writes for a state dict with
//! protocols 2 to 5, of the names those of [`super::globals`]. An object is a number in [`Nodes`]; memo and stack hold numbers.

use std::collections::HashMap;

use super::super::refusal::{Reason, Refusal};
use super::cursor::Cursor;
use super::globals;
use super::node::{Id, Node, Nodes};

/// A checkpoint of six hundred tensors with its optimiser's states takes 300 kB.
const LARGEST: usize = 8 << 20;
const MOST_MARKS: usize = 64;
const MOST_KEPT: usize = 1 << 20;
/// Names of modules and classes end with their line.
const LONGEST_LINE: usize = 256;

/// The walk's state.
pub(super) struct Walk<'a> {
    pub(super) nodes: Nodes<'a>,
    cursor: Cursor<'a>,
    stack: Vec<Id>,
    /// Heights of the stack where marks stand.
    marks: Vec<usize>,
    memo: HashMap<u32, Id>,
}

/// All nodes of a pickle and the one that it leaves.
pub(super) fn walk(bytes: &[u8]) -> Result<(Nodes<'_>, Id), Refusal> {
    if bytes.len() > LARGEST {
        return Err(Refusal::new(
            Reason::TooComplex,
            format!("its pickle has {} bytes, more than the {LARGEST} that are read", bytes.len()),
        ));
    }
    let mut walk =
        Walk { nodes: Nodes::default(), cursor: Cursor::new(bytes, 0), stack: Vec::new(), marks: Vec::new(), memo: HashMap::new() };
    while walk.step()? {}
    let left = walk.pop()?;
    if !walk.stack.is_empty() || !walk.marks.is_empty() || walk.cursor.at() != bytes.len() {
        return Err(Refusal::malformed("its pickle leaves something behind its end"));
    }
    Ok((walk.nodes, left))
}

/// A value that the pickle's end has cut off.
pub(super) fn whole<T>(read: Option<T>) -> Result<T, Refusal> {
    read.ok_or_else(|| Refusal::new(Reason::Incomplete, "its pickle ends inside an instruction"))
}

impl<'a> Walk<'a> {
    /// One instruction; false after the last.
    fn step(&mut self) -> Result<bool, Refusal> {
        let at = self.cursor.at();
        let instruction = whole(self.cursor.u8())?;
        match instruction {
            b'.' => return Ok(false),
            0x80 => match whole(self.cursor.u8())? {
                2..=5 => {}
                other => return Err(Refusal::malformed(format!("its pickle is of protocol {other}; 2 to 5 are read"))),
            },
            0x95 => drop(whole(self.cursor.u64())?),
            b'(' if self.marks.len() < MOST_MARKS => self.marks.push(self.stack.len()),
            b'(' => return Err(Refusal::new(Reason::TooComplex, format!("its pickle nests deeper than {MOST_MARKS}"))),
            b'N' | 0x88 | 0x89 => self.put(Node::Inert)?,
            b'K' | b'M' | b'J' | 0x8a | b'G' => self.number(instruction)?,
            b'X' | 0x8c | 0x8d | b'C' | b'B' => self.text(instruction)?,
            b')' | 0x85..=0x87 | b't' => self.tuple(instruction)?,
            b'}' => self.put(Node::Dict(Vec::new()))?,
            b']' => self.put(Node::List(Vec::new()))?,
            b's' | b'u' | b'a' | b'e' => self.fill(instruction)?,
            b'q' | b'r' | 0x94 => self.remember(instruction)?,
            b'h' | b'j' => self.recall(instruction)?,
            b'c' | 0x93 => self.global(instruction)?,
            b'Q' => self.persistent()?,
            b'R' | 0x81 => self.call()?,
            b'b' => self.build()?,
            other => return Err(forbidden(other, at)),
        }
        Ok(true)
    }

    pub(super) fn put(&mut self, node: Node<'a>) -> Result<(), Refusal> {
        let id = self.nodes.push(node)?;
        self.stack.push(id);
        Ok(())
    }

    pub(super) fn put_again(&mut self, id: Id) {
        self.stack.push(id);
    }

    pub(super) fn pop(&mut self) -> Result<Id, Refusal> {
        let floor = self.marks.last().copied().unwrap_or(0);
        let top = self.stack.pop().filter(|_| self.stack.len() >= floor);
        top.ok_or_else(|| Refusal::malformed("its pickle takes a value that is not there"))
    }

    pub(super) fn top(&self) -> Result<Id, Refusal> {
        let floor = self.marks.last().copied().unwrap_or(0);
        let top = self.stack.get(floor..).and_then(|above| above.last().copied());
        top.ok_or_else(|| Refusal::malformed("its pickle names a value that is not there"))
    }

    /// Everything above the last mark.
    fn pop_to_mark(&mut self) -> Result<Vec<Id>, Refusal> {
        let height = self.marks.pop().ok_or_else(|| Refusal::malformed("its pickle ends a group that it never began"))?;
        Ok(self.stack.split_off(height))
    }

    fn number(&mut self, instruction: u8) -> Result<(), Refusal> {
        let cursor = &mut self.cursor;
        let number = match instruction {
            b'K' => cursor.u8().map(i64::from),
            b'M' => cursor.u16().map(i64::from),
            b'J' => cursor.array().map(|bytes| i64::from(i32::from_le_bytes(bytes))),
            b'G' => {
                whole(cursor.take(8))?;
                return self.put(Node::Inert);
            }
            _ => match long(whole(cursor.u8().and_then(|length| cursor.take(length.into())))?) {
                Some(number) => Some(number),
                None => return self.put(Node::Inert),
            },
        };
        self.put(Node::Int(whole(number)?))
    }

    fn text(&mut self, instruction: u8) -> Result<(), Refusal> {
        let cursor = &mut self.cursor;
        let length = match instruction {
            b'X' | b'B' => cursor.u32().map(u64::from),
            0x8d => cursor.u64(),
            _ => cursor.u8().map(u64::from),
        };
        let bytes = whole(usize::try_from(whole(length)?).ok().and_then(|length| cursor.take(length)))?;
        if matches!(instruction, b'C' | b'B') {
            return self.put(Node::Inert);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| Refusal::new(Reason::BadName, "its pickle holds text that is not UTF-8"))?;
        self.put(Node::Text(text))
    }

    fn tuple(&mut self, instruction: u8) -> Result<(), Refusal> {
        let items = match instruction {
            b't' => self.pop_to_mark()?,
            b')' => Vec::new(),
            _ => {
                let mut items = (0x84..instruction).map(|_| self.pop()).collect::<Result<Vec<_>, _>>()?;
                items.reverse();
                items
            }
        };
        self.put(Node::Tuple(items))
    }

    fn fill(&mut self, instruction: u8) -> Result<(), Refusal> {
        let mut items = match instruction {
            b'u' | b'e' => self.pop_to_mark()?,
            b's' => vec![self.pop()?, self.pop()?],
            _ => vec![self.pop()?],
        };
        if instruction == b's' {
            items.reverse();
        }
        let container = self.top()?;
        if matches!(instruction, b's' | b'u') { self.nodes.insert(container, &items) } else { self.nodes.extend(container, &items) }
    }

    fn remember(&mut self, instruction: u8) -> Result<(), Refusal> {
        let place = match instruction {
            b'q' => whole(self.cursor.u8())?.into(),
            b'r' => whole(self.cursor.u32())?,
            _ => self.memo.len() as u32,
        };
        let top = self.top()?;
        if self.memo.len() == MOST_KEPT {
            return Err(Refusal::new(Reason::TooComplex, format!("its pickle keeps more than {MOST_KEPT} values in mind")));
        }
        self.memo.insert(place, top);
        Ok(())
    }

    fn recall(&mut self, instruction: u8) -> Result<(), Refusal> {
        let place = if instruction == b'h' { self.cursor.u8().map(u32::from) } else { self.cursor.u32() };
        let found = self.memo.get(&whole(place)?).copied();
        self.stack.push(found.ok_or_else(|| Refusal::malformed("its pickle recalls what it never kept"))?);
        Ok(())
    }

    fn global(&mut self, instruction: u8) -> Result<(), Refusal> {
        let (module, name) = if instruction == b'c' {
            let mut line = || whole(self.cursor.line(LONGEST_LINE)).map(|line| std::str::from_utf8(line).unwrap_or("not UTF-8"));
            (line()?, line()?)
        } else {
            let (name, module) = (self.pop()?, self.pop()?);
            match (self.nodes.get(module), self.nodes.get(name)) {
                (Node::Text(module), Node::Text(name)) if module.len().max(name.len()) <= LONGEST_LINE => (*module, *name),
                _ => return Err(Refusal::malformed("its pickle asks for something without a name")),
            }
        };
        self.put(Node::Global(globals::lookup(module, name)?))
    }
}

/// A number of up to eight bytes, its last bit the sign; `None` for larger ones, which no tensor has.
fn long(bytes: &[u8]) -> Option<i64> {
    let sign = if bytes.last().is_some_and(|last| last & 0x80 != 0) { 0xff } else { 0 };
    let mut number = [sign; 8];
    number.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(i64::from_le_bytes(number))
}

fn forbidden(instruction: u8, at: usize) -> Refusal {
    let shown = if instruction.is_ascii_graphic() { format!("`{}`", char::from(instruction)) } else { format!("0x{instruction:02x}") };
    Refusal::new(Reason::ForbiddenOpcode, format!("its pickle holds the instruction {shown} at byte {at}, which no state dict needs"))
}

#[cfg(test)]
mod tests {
    use super::long;

    #[test]
    fn long_numbers_carry_their_sign() {
        assert_eq!((long(&[]), long(&[0xff]), long(&[0xff, 0]), long(&[0, 1])), (Some(0), Some(-1), Some(255), Some(256)));
        assert_eq!((long(&[0; 8]), long(&[0; 9])), (Some(0), None));
    }
}
