//! Reads every code of a scan without making pixels: a scan that ends early is found even when an end marker was put behind the cut.
//!
//! Decoders fill what is missing with grey or with the last colour, and some say nothing.

use super::huffman::{Bits, Table};

/// A colour component and what has been read of it.
#[derive(Clone, Debug)]
struct Component {
    id: u8,
    /// Sampling factors, vertical and horizontal.
    sampling: (usize, usize),
    /// Height and width in blocks, without the padding of interleaved scans.
    blocks: (usize, usize),
    /// Blocks a row, with the padding.
    stride: usize,
    /// A bit for each coefficient of each block that is not zero; progressive scans need it.
    nonzero: Vec<u64>,
    /// For each coefficient, how many low bits are still missing; 255 when it was never coded.
    missing: [u8; 64],
}

/// Tables and sizes that scans share.
#[derive(Clone, Debug, Default)]
pub(super) struct Coding {
    progressive: bool,
    components: Vec<Component>,
    dc: [Option<Table>; 4],
    ac: [Option<Table>; 4],
    pub restart_interval: usize,
    /// Height and width in units of interleaved scans.
    units: (usize, usize),
}

/// What a scan's header says about coefficients.
#[derive(Clone, Copy, Debug)]
struct Band {
    start: usize,
    end: usize,
    high: u8,
    low: u8,
}

impl Coding {
    /// Takes a frame header: (id, vertical, horizontal sampling) of each component. `None` when sampling is out of bounds.
    pub(super) fn begin(&mut self, progressive: bool, (height, width): (u32, u32), components: &[(u8, u8, u8)]) -> Option<()> {
        let in_bounds = |(_, v, h): &(u8, u8, u8)| (1..=4).contains(v) && (1..=4).contains(h);
        if !components.iter().all(in_bounds) {
            return None;
        }
        let tallest = components.iter().map(|c| usize::from(c.1)).max()?;
        let widest = components.iter().map(|c| usize::from(c.2)).max()?;
        let (height, width) = (height as usize, width as usize);
        let units = (height.div_ceil(8 * tallest), width.div_ceil(8 * widest));
        let component = |&(id, v, h): &(u8, u8, u8)| {
            let (v, h) = (usize::from(v), usize::from(h));
            let stride = units.1 * h;
            Component {
                id,
                sampling: (v, h),
                blocks: ((height * v).div_ceil(tallest).div_ceil(8), (width * h).div_ceil(widest).div_ceil(8)),
                stride,
                nonzero: if progressive { vec![0; stride * units.0 * v] } else { Vec::new() },
                missing: [255; 64],
            }
        };
        self.components = components.iter().map(component).collect();
        (self.progressive, self.units) = (progressive, units);
        Some(())
    }

    /// Takes a segment of Huffman tables; `None` when it is malformed.
    pub(super) fn tables(&mut self, mut body: &[u8]) -> Option<()> {
        while let Some((kind, rest)) = body.split_first() {
            let (counts, rest) = rest.split_at_checked(16)?;
            let (symbols, rest) = rest.split_at_checked(counts.iter().map(|n| usize::from(*n)).sum())?;
            let tables = if kind >> 4 == 0 { &mut self.dc } else { &mut self.ac };
            *tables.get_mut(usize::from(kind & 15))? = Some(Table::new(counts, symbols)?);
            body = rest;
        }
        Some(())
    }

    /// Whether every coefficient of every component was coded to its last bit.
    pub(super) fn is_complete(&self) -> bool {
        self.components.iter().all(|component| component.missing.iter().all(|bits| *bits == 0))
    }

    /// Reads a scan whose header's body is given; returns where its data ends, `None` when it does not hold all its blocks.
    pub(super) fn read_scan(&mut self, header: &[u8], bytes: &[u8], at: usize) -> Option<usize> {
        let count = usize::from(*header.first()?);
        let chosen = header.get(1..1 + 2 * count)?;
        let &[start, end, precision] = header.get(1 + 2 * count..4 + 2 * count)? else { return None };
        let band = if self.progressive {
            Band { start: usize::from(start), end: usize::from(end), high: precision >> 4, low: precision & 15 }
        } else {
            Band { start: 0, end: 63, high: 0, low: 0 }
        };
        let mixed = self.progressive && band.start == 0 && band.end > 0;
        if band.start > band.end || band.end > 63 || mixed || (band.start > 0 && count != 1) || band.low > 13 {
            return None;
        }
        let mut members = Vec::new();
        for pair in chosen.chunks_exact(2) {
            let member = self.components.iter().position(|component| component.id == pair[0])?;
            members.push((member, usize::from(pair[1] >> 4), usize::from(pair[1] & 15)));
        }
        let mut bits = Bits::new(bytes, at);
        self.read_units(&members, band, &mut bits)?;
        for (member, ..) in members {
            self.components[member].missing[band.start..=band.end].fill(band.low);
        }
        Some(bits.at)
    }

    fn read_units(&mut self, members: &[(usize, usize, usize)], band: Band, bits: &mut Bits) -> Option<()> {
        let &(first, ..) = members.first()?;
        let alone = members.len() == 1;
        let (rows, columns) = if alone { self.components[first].blocks } else { self.units };
        let mut run = 0;
        for unit in 0..rows * columns {
            if unit > 0 && self.restart_interval > 0 && unit % self.restart_interval == 0 {
                bits.restart()?;
                run = 0;
            }
            let (row, column) = (unit / columns, unit % columns);
            for &(member, dc, ac) in members {
                let (v, h) = if alone { (1, 1) } else { self.components[member].sampling };
                for part in 0..v * h {
                    let block = (row * v + part / h) * self.components[member].stride + column * h + part % h;
                    let tables = (self.dc.get(dc)?.as_ref(), self.ac.get(ac)?.as_ref());
                    if self.progressive {
                        let nonzero = self.components[member].nonzero.get_mut(block)?;
                        progressive_block(bits, tables, band, nonzero, &mut run)?;
                    } else {
                        baseline_block(bits, tables)?;
                    }
                }
            }
        }
        Some(())
    }
}

type Tables<'a> = (Option<&'a Table>, Option<&'a Table>);

fn baseline_block(bits: &mut Bits, (dc, ac): Tables) -> Option<()> {
    let size = bits.symbol(dc?)?;
    bits.take(u32::from(size).min(16))?;
    let (ac, mut k) = (ac?, 1);
    while k < 64 {
        let (zeros, size) = split(bits.symbol(ac)?);
        if size == 0 {
            if zeros < 15 {
                return Some(());
            }
            k += 16;
        } else {
            bits.take(size)?;
            k += zeros + 1;
        }
    }
    // A run may end with the block, never behind it.
    (k == 64).then_some(())
}

fn progressive_block(bits: &mut Bits, (dc, ac): Tables, band: Band, nonzero: &mut u64, run: &mut u32) -> Option<()> {
    if band.start == 0 {
        let size = if band.high == 0 { u32::from(bits.symbol(dc?)?).min(16) } else { 1 };
        bits.take(size)?;
        return Some(());
    }
    if band.high == 0 { first_pass(bits, ac?, band, nonzero, run) } else { refinement(bits, ac?, band, nonzero, run) }
}

/// T.81, G.1.2.2: coefficients met for the first time, and runs of blocks without any.
fn first_pass(bits: &mut Bits, ac: &Table, band: Band, nonzero: &mut u64, run: &mut u32) -> Option<()> {
    if *run > 0 {
        *run -= 1;
        return Some(());
    }
    let mut k = band.start;
    while k <= band.end {
        let (zeros, size) = split(bits.symbol(ac)?);
        if size > 0 {
            k += zeros;
            bits.take(size)?;
            *nonzero |= 1_u64.checked_shl(k as u32)?;
            k += 1;
        } else if zeros < 15 {
            *run = (1 << zeros) - 1 + bits.take(zeros as u32)?;
            return Some(());
        } else {
            k += 16;
        }
    }
    Some(())
}

/// T.81, G.1.2.3: one more bit for coefficients that are not zero, and new ones between them.
fn refinement(bits: &mut Bits, ac: &Table, band: Band, nonzero: &mut u64, run: &mut u32) -> Option<()> {
    let mut k = band.start;
    while *run == 0 && k <= band.end {
        let (mut zeros, size) = split(bits.symbol(ac)?);
        if size > 0 {
            bits.take(1)?;
        } else if zeros < 15 {
            *run = (1 << zeros) + bits.take(zeros as u32)?;
            break;
        }
        while k <= band.end {
            if *nonzero >> k & 1 == 1 {
                bits.take(1)?;
            } else if zeros == 0 {
                break;
            } else {
                zeros -= 1;
            }
            k += 1;
        }
        if size > 0 && k <= band.end {
            *nonzero |= 1 << k;
        }
        k += 1;
    }
    if *run > 0 {
        for rest in k..=band.end {
            if *nonzero >> rest & 1 == 1 {
                bits.take(1)?;
            }
        }
        *run -= 1;
    }
    Some(())
}

/// A run of zeros and the size of what follows.
fn split(symbol: u8) -> (usize, u32) {
    (usize::from(symbol >> 4), u32::from(symbol & 15))
}
