//! Walks the entropy-coded data of scans block by block, without keeping a coefficient.

use super::entropy::{Bits, Table, Tables};
use super::{Component, Frame, Process, cut, damaged};
use crate::error::Result;

/// Bytes that may be left between the last block of a scan and the next marker. Cameras pad a
/// little; more is content that was decoded out of step.
const MOST_LEFT: usize = 8;

/// Behind a run of zero bytes of this length no block of zeros has content: 512 bits repeat one
/// code.
const HOLE: usize = 64;

/// What the scans of a picture have brought so far.
pub(super) struct Progress<'a> {
    frame: &'a Frame,
    /// By component and coefficient: the lowest bit that was sent; `None` before the first.
    bits: Vec<[Option<u8>; 64]>,
    /// By component and block: which coefficients are not zero. Only refinements need it.
    known: Vec<Vec<u64>>,
    /// Whether the first scan brings all components: then blocks are not kept.
    at_once: bool,
}

/// A component of a scan with its tables.
struct Part<'t> {
    index: usize,
    dc: Option<&'t Table>,
    ac: Option<&'t Table>,
}

/// What a scan brings: coefficients `first..=last`, down to bit `low`, from bit `high` on if they
/// were sent before.
#[derive(Clone, Copy)]
struct Band {
    first: usize,
    last: usize,
    high: u8,
    low: u8,
}

/// Where the blocks of a scan lie.
struct Grid {
    /// Units across and down: MCUs, or the blocks of one component.
    across: usize,
    down: usize,
}

impl<'a> Progress<'a> {
    pub(super) fn new(frame: &'a Frame) -> Self {
        Progress {
            frame,
            bits: vec![[None; 64]; frame.components.len()],
            known: vec![Vec::new(); frame.components.len()],
            at_once: true,
        }
    }

    /// Walks the scan whose header is `header` and whose data begins `data`; returns the length of
    /// the data.
    pub(super) fn walk(&mut self, header: &[u8], data: &[u8], tables: &Tables) -> Result<usize> {
        let (parts, band) = self.begin(header, tables)?;
        let grid = self.grid(&parts);
        let units = grid.across * grid.down;
        let interval = if tables.interval == 0 {
            units
        } else {
            tables.interval
        };
        let (mut at, mut done) = (0, 0);
        loop {
            let mut bits = Bits::new(&data[at..]);
            let end = (done + interval).min(units);
            self.walk_interval(&parts, band, &grid, done..end, &mut bits)?;
            done = end;
            bits.check()?;
            let (left, length) = bits.close();
            if left > MOST_LEFT {
                return Err(damaged(
                    "a scan goes on behind its last block, so blocks before were misread",
                ));
            }
            at += length;
            let restart = restart_marker(&data[at..]);
            if done == units {
                // Some encoders close the last interval like the others.
                return Ok(at + restart.map_or(0, |(_, length)| length));
            }
            let expected = (done / interval - 1) % 8;
            match restart {
                Some((number, length)) if usize::from(number) == expected => at += length,
                Some(_) => return Err(damaged("a restart interval is missing")),
                None => return Err(cut("a scan ends before its last block")),
            }
        }
    }

    /// An error when coefficients were never sent.
    pub(super) fn finish(&self) -> Result<()> {
        let whole = |bits: &[Option<u8>; 64]| bits.iter().all(|&low| low == Some(0));
        if self.bits.iter().all(whole) {
            return Ok(());
        }
        Err(cut("a scan is missing"))
    }

    /// Bytes of the coefficients that a decoder must keep until the last scan.
    pub(super) fn coefficient_bytes(&self) -> usize {
        if self.at_once && self.frame.process == Process::Sequential {
            return 0;
        }
        let (horizontal, vertical) = self.frame.sampling();
        let (across, down) = (
            self.frame.width.div_ceil(8 * horizontal),
            self.frame.height.div_ceil(8 * vertical),
        );
        let blocks: usize = self
            .frame
            .components
            .iter()
            .map(|c| c.horizontal * c.vertical)
            .sum();
        across * down * blocks * 64 * 2
    }

    fn begin<'t>(&mut self, header: &[u8], tables: &'t Tables) -> Result<(Vec<Part<'t>>, Band)> {
        let wrong = || damaged("a scan header is wrong");
        let (&count, rest) = header.split_first().ok_or_else(wrong)?;
        let (names, rest) = rest
            .split_at_checked(2 * usize::from(count))
            .ok_or_else(wrong)?;
        let &[first, last, approximation] = rest else {
            return Err(wrong());
        };
        let progressive = self.frame.process == Process::Progressive;
        let band = if progressive {
            Band {
                first: usize::from(first),
                last: usize::from(last),
                high: approximation >> 4,
                low: approximation & 15,
            }
        } else {
            Band {
                first: 0,
                last: 63,
                high: 0,
                low: 0,
            }
        };
        let lawful = band.first <= band.last
            && band.last < 64
            && band.low <= 13
            && (1..=4).contains(&count)
            && (!progressive || (band.first == 0) == (band.last == 0))
            && (band.first == 0 || count == 1);
        if !lawful {
            return Err(wrong());
        }
        let mut parts: Vec<Part<'t>> = Vec::with_capacity(4);
        for name in names.chunks_exact(2) {
            let same = |c: &Component| c.id == name[0];
            let index = self
                .frame
                .components
                .iter()
                .position(same)
                .ok_or_else(wrong)?;
            if parts.iter().any(|part| part.index == index) {
                return Err(wrong());
            }
            let needs_dc = band.first == 0 && band.high == 0;
            let needs_ac = band.last > 0;
            parts.push(Part {
                index,
                dc: needs_dc.then(|| tables.dc(name[1] >> 4)).transpose()?,
                ac: needs_ac.then(|| tables.ac(name[1] & 15)).transpose()?,
            });
            for low in &mut self.bits[index][band.first..=band.last] {
                let before = (band.high > 0).then_some(band.high);
                if *low != before || (band.high > 0 && band.high != band.low + 1) {
                    return Err(damaged("a scan brings what another has brought"));
                }
                *low = Some(band.low);
            }
        }
        self.at_once &= parts.len() == self.frame.components.len();
        Ok((parts, band))
    }

    fn grid(&self, parts: &[Part<'_>]) -> Grid {
        let (horizontal, vertical) = self.frame.sampling();
        match parts {
            // A scan of one component has no MCUs: its blocks come row by row.
            [part] => {
                let component = self.frame.components[part.index];
                let across = (self.frame.width * component.horizontal).div_ceil(horizontal);
                let down = (self.frame.height * component.vertical).div_ceil(vertical);
                Grid {
                    across: across.div_ceil(8),
                    down: down.div_ceil(8),
                }
            }
            _ => Grid {
                across: self.frame.width.div_ceil(8 * horizontal),
                down: self.frame.height.div_ceil(8 * vertical),
            },
        }
    }

    fn walk_interval(
        &mut self,
        parts: &[Part<'_>],
        band: Band,
        grid: &Grid,
        units: std::ops::Range<usize>,
        bits: &mut Bits<'_>,
    ) -> Result<()> {
        if let ([part], Process::Progressive, true) = (parts, self.frame.process, band.first > 0) {
            let Some(ac) = part.ac else {
                return Err(damaged("a Huffman table is missing"));
            };
            let known = &mut self.known[part.index];
            if known.is_empty() {
                *known = vec![0; grid.across * grid.down];
            }
            let known = &mut known[units];
            return if band.high == 0 {
                first_of_band(known, ac, band, bits)
            } else {
                refine_band(known, ac, band, bits)
            };
        }
        for unit in units {
            for part in parts {
                let component = self.frame.components[part.index];
                let blocks = match parts {
                    [_] => 1,
                    _ => component.horizontal * component.vertical,
                };
                for _ in 0..blocks {
                    let (before, mut texture) = (bits.position(), false);
                    match part.dc {
                        Some(dc) => {
                            let size = bits.symbol(dc)?;
                            if size > 15 {
                                return Err(damaged("a coefficient is too large"));
                            }
                            bits.skip(u32::from(size));
                            texture |= size > 0;
                        }
                        None => bits.skip(1),
                    }
                    if let (Some(ac), Process::Sequential) = (part.ac, self.frame.process) {
                        texture |= sequential_block(ac, bits)?;
                    }
                    if texture {
                        refuse_hole(bits, before)?;
                    }
                }
            }
            // Nothing is decoded behind the end: a cut file costs what it holds.
            if unit.is_multiple_of(64) {
                bits.check()?;
            }
        }
        Ok(())
    }
}

/// Returns whether the block has a coefficient.
#[inline]
fn sequential_block(ac: &Table, bits: &mut Bits<'_>) -> Result<bool> {
    let mut at = 1;
    while at < 64 {
        let symbol = bits.symbol(ac)?;
        let (run, size) = (usize::from(symbol >> 4), symbol & 15);
        match (run, size) {
            (0, 0) => break,
            (15, 0) => at += 16,
            (_, 0) => return Err(damaged("a block is coded wrongly")),
            _ => {
                at += run + 1;
                bits.skip(u32::from(size));
            }
        }
        if at > 64 {
            return Err(damaged("a block has more than 64 coefficients"));
        }
    }
    Ok(at > 1)
}

fn first_of_band(known: &mut [u64], ac: &Table, band: Band, bits: &mut Bits<'_>) -> Result<()> {
    let mut empty = 0u32;
    for (unit, known) in known.iter_mut().enumerate() {
        if empty > 0 {
            empty -= 1;
            continue;
        }
        let (before, mut at, was) = (bits.position(), band.first, *known);
        while at <= band.last {
            let symbol = bits.symbol(ac)?;
            let (run, size) = (usize::from(symbol >> 4), symbol & 15);
            match (run, size) {
                (15, 0) => at += 16,
                (_, 0) => {
                    empty = (1 << run) - 1 + bits.take(run as u32);
                    break;
                }
                _ => {
                    at += run;
                    if at > band.last {
                        return Err(damaged("a block has more coefficients than its scan"));
                    }
                    bits.skip(u32::from(size));
                    *known |= 1 << at;
                    at += 1;
                }
            }
        }
        if *known != was {
            refuse_hole(bits, before)?;
        }
        if unit.is_multiple_of(64) {
            bits.check()?;
        }
    }
    if empty > 0 {
        return Err(damaged("a run of empty blocks is longer than its scan"));
    }
    Ok(())
}

fn refine_band(known: &mut [u64], ac: &Table, band: Band, bits: &mut Bits<'_>) -> Result<()> {
    let mut empty = 0u32;
    for (unit, known) in known.iter_mut().enumerate() {
        let mut at = band.first;
        if empty == 0 {
            while at <= band.last {
                let symbol = bits.symbol(ac)?;
                let (mut run, size) = (symbol >> 4, symbol & 15);
                match (run, size) {
                    (15, 0) | (_, 1) => bits.skip(u32::from(size)),
                    (_, 0) => {
                        empty = (1 << run) + bits.take(u32::from(run));
                        break;
                    }
                    _ => return Err(damaged("a refinement is coded wrongly")),
                }
                // Coefficients that are known take a bit each, the others are counted by the run.
                while at <= band.last {
                    if *known >> at & 1 == 1 {
                        bits.skip(1);
                    } else if run == 0 {
                        break;
                    } else {
                        run -= 1;
                    }
                    at += 1;
                }
                if size == 1 {
                    if at > band.last {
                        return Err(damaged("a block has more coefficients than its scan"));
                    }
                    *known |= 1 << at;
                }
                at += 1;
            }
        }
        if empty > 0 {
            if at <= band.last {
                let rest = *known >> at << at & (!0 >> (63 - band.last));
                (0..rest.count_ones()).for_each(|_| bits.skip(1));
            }
            empty -= 1;
        }
        if unit.is_multiple_of(64) {
            bits.check()?;
        }
    }
    if empty > 0 {
        return Err(damaged("a run of empty blocks is longer than its scan"));
    }
    Ok(())
}

/// Returns the number of the restart marker at the start of `data` and its length with fill bytes.
fn restart_marker(data: &[u8]) -> Option<(u8, usize)> {
    let fill = data.iter().take_while(|&&byte| byte == 0xff).count();
    match data.get(fill) {
        Some(&marker @ 0xd0..=0xd7) if fill > 0 => Some((marker - 0xd0, fill + 1)),
        _ => None,
    }
}

/// Refuses a block with content, begun at the byte `before`, that lies in a hole.
///
/// Zeros are bits like others: they decode to block after block of the same coefficients, and a
/// file that lacks its second half can so have every block. An encoder writes long zeros only for
/// blocks without content.
#[inline]
fn refuse_hole(bits: &Bits<'_>, before: usize) -> Result<()> {
    if before >= HOLE && bits.are_zeros(before - HOLE..bits.position().max(before + 1)) {
        return Err(damaged("its entropy-coded data holds a hole of zeros"));
    }
    Ok(())
}
