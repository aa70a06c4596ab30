//! Huffman tables and the bits of a scan (ITU-T T.81, Annex C and F).

use super::{cut, damaged};
use crate::error::Result;

/// Codes up to this length are found by one look.
const QUICK: u32 = 10;

/// A Huffman table.
#[derive(Clone)]
pub(super) struct Table {
    /// By the next `QUICK` bits: the symbol and the length of its code; length 0 for longer codes.
    quick: Vec<(u8, u8)>,
    /// By the length of the code: one past its last code, aligned to 16 bits.
    ends: [u32; 17],
    /// By the length of the code: what to add to a code to find its symbol.
    offsets: [i32; 17],
    symbols: Vec<u8>,
}

impl Table {
    fn new(counts: &[u8; 16], symbols: &[u8]) -> Option<Table> {
        let (mut ends, mut offsets) = ([0; 17], [0; 17]);
        let mut quick = vec![(0, 0); 1 << QUICK];
        let (mut code, mut at) = (0u32, 0usize);
        for length in 1..=16u32 {
            code <<= 1;
            let count = usize::from(counts[length as usize - 1]);
            offsets[length as usize] = at as i32 - code as i32;
            for &symbol in symbols.get(at..at + count)? {
                if code >= 1 << length {
                    return None;
                }
                if length <= QUICK {
                    let first = (code << (QUICK - length)) as usize;
                    quick[first..first + (1 << (QUICK - length))].fill((symbol, length as u8));
                }
                code += 1;
            }
            at += count;
            ends[length as usize] = code << (16 - length);
        }
        Some(Table {
            quick,
            ends,
            offsets,
            symbols: symbols.to_vec(),
        })
    }
}

/// The tables that stand at a place of the file.
#[derive(Clone, Default)]
pub(super) struct Tables {
    dc: [Option<Table>; 4],
    ac: [Option<Table>; 4],
    /// Minimum coded units between two restart markers; 0 for none.
    pub(super) interval: usize,
}

impl Tables {
    /// Takes the tables of a DHT segment.
    pub(super) fn define(&mut self, mut body: &[u8]) -> Result<()> {
        while let [head, rest @ ..] = body {
            let wrong = || damaged("a Huffman table is wrong");
            let (counts, rest) = rest.split_first_chunk::<16>().ok_or_else(wrong)?;
            let total = counts.iter().map(|&count| usize::from(count)).sum();
            let (symbols, after) = rest.split_at_checked(total).ok_or_else(wrong)?;
            let place = match head {
                0..=3 => &mut self.dc[usize::from(*head)],
                0x10..=0x13 => &mut self.ac[usize::from(head & 15)],
                _ => return Err(wrong()),
            };
            *place = Some(Table::new(counts, symbols).ok_or_else(wrong)?);
            body = after;
        }
        Ok(())
    }

    /// Takes the interval of a DRI segment.
    pub(super) fn restart_interval(&mut self, body: &[u8]) -> Result<()> {
        let &[high, low] = body else {
            return Err(damaged("its restart interval is wrong"));
        };
        self.interval = usize::from(u16::from_be_bytes([high, low]));
        Ok(())
    }

    /// Sets the tables of Annex K where none are set: frames of a Motion JPEG leave them out.
    pub(super) fn assume_standard(&mut self) {
        let set = |place: &mut Option<Table>, counts: &[u8; 16], symbols: &[u8]| {
            if place.is_none() {
                *place = Table::new(counts, symbols);
            }
        };
        let differences: [u8; 12] = std::array::from_fn(|i| i as u8);
        set(
            &mut self.dc[0],
            &[0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0],
            &differences,
        );
        set(
            &mut self.dc[1],
            &[0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0],
            &differences,
        );
        set(
            &mut self.ac[0],
            &[0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 125],
            &LUMINANCE,
        );
        set(
            &mut self.ac[1],
            &[0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 119],
            &CHROMINANCE,
        );
    }

    pub(super) fn dc(&self, index: u8) -> Result<&Table> {
        let table = self.dc.get(usize::from(index)).and_then(Option::as_ref);
        table.ok_or_else(|| damaged("a Huffman table is missing"))
    }

    pub(super) fn ac(&self, index: u8) -> Result<&Table> {
        let table = self.ac.get(usize::from(index)).and_then(Option::as_ref);
        table.ok_or_else(|| damaged("a Huffman table is missing"))
    }
}

/// Reads the bits of entropy-coded data up to the next marker; zeros behind it.
pub(super) struct Bits<'a> {
    data: &'a [u8],
    at: usize,
    buffer: u64,
    /// Bits in the buffer, those made up behind the data included.
    count: u32,
    /// Bits made up.
    invented: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(data: &'a [u8]) -> Self {
        Bits {
            data,
            at: 0,
            buffer: 0,
            count: 0,
            invented: 0,
        }
    }

    /// Makes sure of at least 48 bits in the buffer.
    #[inline]
    fn fill(&mut self) {
        if self.count >= 48 {
            return;
        }
        if let Some(next) = self
            .data
            .get(self.at..)
            .and_then(|rest| rest.first_chunk::<8>())
        {
            let next = u64::from_be_bytes(*next);
            // No byte of the eight is 0xff.
            let inverse = !next;
            if inverse.wrapping_sub(0x0101_0101_0101_0101) & next & 0x8080_8080_8080_8080 == 0 {
                let bytes = (64 - self.count) / 8;
                self.buffer |= next >> self.count;
                self.count += 8 * bytes;
                self.at += bytes as usize;
                // What did not fit is read again.
                if self.count < 64 {
                    self.buffer &= !0 << (64 - self.count);
                }
                return;
            }
        }
        while self.count <= 56 {
            let byte = match self.data.get(self.at..) {
                Some([0xff, 0x00, ..]) => {
                    self.at += 2;
                    0xff
                }
                Some([0xff, ..]) | Some([]) | None => {
                    self.invented += 8;
                    0
                }
                Some([byte, ..]) => {
                    self.at += 1;
                    *byte
                }
            };
            self.buffer |= u64::from(byte) << (56 - self.count);
            self.count += 8;
        }
    }

    /// Passes over `count` <= 16 bits.
    #[inline]
    pub(super) fn skip(&mut self, count: u32) {
        self.fill();
        self.buffer <<= count;
        self.count -= count;
    }

    /// Returns the next `count` <= 16 bits.
    #[inline]
    pub(super) fn take(&mut self, count: u32) -> u32 {
        self.fill();
        let value = (self.buffer >> 32) as u32;
        self.buffer <<= count;
        self.count -= count;
        if count == 0 { 0 } else { value >> (32 - count) }
    }

    /// Returns the next symbol; an error for bits that are no code of the table.
    #[inline]
    pub(super) fn symbol(&mut self, table: &Table) -> Result<u8> {
        self.fill();
        let (symbol, length) = table.quick[(self.buffer >> (64 - QUICK)) as usize];
        if length > 0 {
            self.buffer <<= length;
            self.count -= u32::from(length);
            return Ok(symbol);
        }
        self.long_symbol(table)
    }

    #[cold]
    fn long_symbol(&mut self, table: &Table) -> Result<u8> {
        let ahead = (self.buffer >> 48) as u32;
        for length in QUICK as usize + 1..=16 {
            if ahead < table.ends[length] {
                let code = (ahead >> (16 - length)) as i32;
                let symbol = usize::try_from(code + table.offsets[length]);
                if let Some(&symbol) = symbol.ok().and_then(|at| table.symbols.get(at)) {
                    self.buffer <<= length;
                    self.count -= length as u32;
                    return Ok(symbol);
                }
            }
        }
        self.check()?;
        Err(damaged(
            "its entropy-coded data holds bits that are no code",
        ))
    }

    /// An error when bits behind the end of the data were used.
    #[inline]
    pub(super) fn check(&self) -> Result<()> {
        if self.invented > self.count {
            return Err(cut("a scan ends before its last block"));
        }
        Ok(())
    }

    /// Where the next unread bit lies, in bytes from the start. Stuffed bytes may make it a few
    /// too small.
    #[inline]
    pub(super) fn position(&self) -> usize {
        let real = self.count.saturating_sub(self.invented) / 8;
        self.at - (real as usize).min(self.at)
    }

    /// Whether the bytes of `range` are zeros.
    #[inline]
    pub(super) fn are_zeros(&self, range: std::ops::Range<usize>) -> bool {
        let bytes = self.data.get(range).unwrap_or(&[1]);
        bytes.iter().rev().all(|&byte| byte == 0)
    }

    /// Drops the bits that are left of the last byte and returns how many whole bytes are left
    /// before the next marker, and where that marker begins.
    pub(super) fn close(self) -> (usize, usize) {
        let left = (self.count.saturating_sub(self.invented) / 8) as usize;
        let (mut at, mut more) = (self.at, 0);
        while let Some(rest) = self.data.get(at..).filter(|rest| !rest.is_empty()) {
            match rest {
                [0xff, 0x00, ..] => {
                    at += 2;
                    more += 1;
                }
                // Fill bytes belong to the marker.
                [0xff, ..] => break,
                _ => {
                    at += 1;
                    more += 1;
                }
            }
        }
        (left + more, at)
    }
}

/// The symbols of Table K.5.
const LUMINANCE: [u8; 162] = standard_symbols(&[
    0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51, 0x61, 0x07,
    0x22, 0x71, 0x14, 0x32, 0x81, 0x91, 0xa1, 0x08, 0x23, 0x42, 0xb1, 0xc1, 0x15, 0x52, 0xd1, 0xf0,
    0x24, 0x33, 0x62, 0x72, 0x82,
]);

/// The symbols of Table K.6.
const CHROMINANCE: [u8; 162] = standard_symbols(&[
    0x00, 0x01, 0x02, 0x03, 0x11, 0x04, 0x05, 0x21, 0x31, 0x06, 0x12, 0x41, 0x51, 0x07, 0x61, 0x71,
    0x13, 0x22, 0x32, 0x81, 0x08, 0x14, 0x42, 0x91, 0xa1, 0xb1, 0xc1, 0x09, 0x23, 0x33, 0x52, 0xf0,
    0x15, 0x62, 0x72, 0xd1, 0x0a, 0x16, 0x24, 0x34, 0xe1, 0x25, 0xf1,
]);

/// The rest of both tables is every other symbol in rising order.
const fn standard_symbols(first: &[u8]) -> [u8; 162] {
    let (mut symbols, mut at, mut used) = ([0; 162], 0, [false; 256]);
    while at < first.len() {
        symbols[at] = first[at];
        used[first[at] as usize] = true;
        at += 1;
    }
    let mut symbol = 1;
    while symbol < 0xfb {
        let size = symbol & 15;
        if size >= 1 && size <= 10 && !used[symbol] {
            symbols[at] = symbol as u8;
            at += 1;
        }
        symbol += 1;
    }
    symbols
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_tables_are_whole() {
        for symbols in [LUMINANCE, CHROMINANCE] {
            let mut sorted = symbols;
            sorted.sort_unstable();
            assert!(
                sorted.windows(2).all(|pair| pair[0] < pair[1]),
                "{symbols:02x?}"
            );
        }
        assert_eq!(LUMINANCE[36..40], [0x82, 0x09, 0x0a, 0x16]);
        assert_eq!(LUMINANCE[160..], [0xf9, 0xfa]);
        assert_eq!(CHROMINANCE[42..46], [0xf1, 0x17, 0x18, 0x19]);
        let mut tables = Tables::default();
        tables.assume_standard();
        assert!(tables.dc(1).is_ok() && tables.ac(1).is_ok() && tables.ac(2).is_err());
    }

    #[test]
    fn bits_come_in_order_and_stuffing_goes() {
        let data = [
            0x12, 0x34, 0xff, 0x00, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0, 0x11, 0x22, 0x33,
        ];
        let mut bits = Bits::new(&data);
        let nibbles: Vec<u32> = (0..24).map(|_| bits.take(4)).collect();
        let expected = "1234ff56789abcdef0112233".chars();
        assert_eq!(
            nibbles,
            expected
                .map(|c| c.to_digit(16).unwrap())
                .collect::<Vec<_>>()
        );
        assert!(bits.check().is_ok());
        bits.take(1);
        assert!(bits.check().is_err());
    }

    #[test]
    fn what_is_left_before_a_marker_is_counted() {
        let data = [1, 2, 0xff, 0, 4, 5, 0xff, 0xd9, 9];
        for (used, left) in [(0, 5), (1, 4), (8, 4), (9, 3), (16, 3), (24, 2), (40, 0)] {
            let mut bits = Bits::new(&data);
            (0..used).for_each(|_| bits.skip(1));
            assert!(bits.check().is_ok());
            assert_eq!(bits.close(), (left, 6), "{used} bits used");
        }
        // Without a marker the data ends where the file does.
        assert_eq!(Bits::new(&data[..4]).close(), (3, 4));
    }

    #[test]
    fn tables_that_promise_too_many_codes_are_refused() {
        let mut body = vec![0x00];
        body.extend([3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3]);
        assert!(Tables::default().define(&body).is_err());
        body[1] = 2;
        assert!(
            Tables::default().define(&body).is_err(),
            "a byte is left over"
        );
        body.pop();
        assert!(Tables::default().define(&body).is_ok());
        body[0] = 0x04;
        assert!(Tables::default().define(&body).is_err());
    }
}
