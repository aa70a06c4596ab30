//! The machine-readable zone of ICAO Doc 9303: its formats, fields, dates and check digits.
//!
//! A check digit says that a field was read as it was printed, no more: anybody can compute one.

use super::codes;
use super::names::Names;
use crate::error::{Error, Kind, Result, Stage};
use crate::evidence::{Check, CheckResult, Date, FieldName, Format, Mrz};
use std::ops::Range;

impl Format {
    /// Returns the number of lines.
    pub fn lines(self) -> usize {
        if self == Format::Td1 { 3 } else { 2 }
    }

    /// Returns the number of characters in a line.
    pub fn columns(self) -> usize {
        match self {
            Format::Td1 => 30,
            Format::Td2 | Format::MrvB => 36,
            Format::Td3 | Format::MrvA => 44,
        }
    }

    /// The format of a zone of that shape whose first character is `first`.
    pub(super) fn of(lines: usize, columns: usize, first: u8) -> Option<Format> {
        match (lines, columns, first == b'V') {
            (3, 30, _) => Some(Format::Td1),
            (2, 36, false) => Some(Format::Td2),
            (2, 36, true) => Some(Format::MrvB),
            (2, 44, false) => Some(Format::Td3),
            (2, 44, true) => Some(Format::MrvA),
            _ => None,
        }
    }

    /// Where a field stands; `None` where the format lacks it.
    pub(super) fn place(self, field: FieldName) -> Option<Place> {
        use FieldName::*;
        let at = |line, columns| Some(Place { line, columns });
        let wide = self.columns();
        match (self, field) {
            (_, DocumentCode) => at(0, 0..2),
            (_, Issuer) => at(0, 2..5),
            (Format::Td1, Name) => at(2, 0..30),
            (_, Name) => at(0, 5..wide),
            (Format::Td1, Number) => at(0, 5..14),
            (_, Number) => at(1, 0..9),
            (Format::Td1, Nationality) => at(1, 15..18),
            (_, Nationality) => at(1, 10..13),
            (Format::Td1, BirthDate) => at(1, 0..6),
            (_, BirthDate) => at(1, 13..19),
            (Format::Td1, Sex) => at(1, 7..8),
            (_, Sex) => at(1, 20..21),
            (Format::Td1, ExpiryDate) => at(1, 8..14),
            (_, ExpiryDate) => at(1, 21..27),
            (Format::Td1, Optional) => at(0, 15..30),
            (Format::Td2, Optional) => at(1, 28..35),
            (Format::Td3, Optional) => at(1, 28..42),
            (_, Optional) => at(1, 28..wide),
            (Format::Td1, Optional2) => at(1, 18..29),
            (_, Optional2) => None,
        }
    }

    /// Where the check digit stands, and over what it is computed; `None` where the format lacks
    /// it.
    pub(super) fn digit(self, check: Check) -> Option<(Place, Vec<Place>)> {
        let place = |line, columns| Place { line, columns };
        let over = |field| self.place(field).into_iter().collect::<Vec<_>>();
        let card = self == Format::Td1;
        match check {
            Check::Number if card => Some((place(0, 14..15), over(FieldName::Number))),
            Check::Number => Some((place(1, 9..10), over(FieldName::Number))),
            Check::BirthDate if card => Some((place(1, 6..7), over(FieldName::BirthDate))),
            Check::BirthDate => Some((place(1, 19..20), over(FieldName::BirthDate))),
            Check::ExpiryDate if card => Some((place(1, 14..15), over(FieldName::ExpiryDate))),
            Check::ExpiryDate => Some((place(1, 27..28), over(FieldName::ExpiryDate))),
            Check::Optional if self == Format::Td3 => {
                Some((place(1, 42..43), over(FieldName::Optional)))
            }
            Check::Optional => None,
            Check::Composite => match self {
                Format::Td1 => Some((
                    place(1, 29..30),
                    vec![
                        place(0, 5..30),
                        place(1, 0..7),
                        place(1, 8..15),
                        place(1, 18..29),
                    ],
                )),
                Format::Td2 => Some((
                    place(1, 35..36),
                    vec![place(1, 0..10), place(1, 13..20), place(1, 21..35)],
                )),
                Format::Td3 => Some((
                    place(1, 43..44),
                    vec![place(1, 0..10), place(1, 13..20), place(1, 21..43)],
                )),
                Format::MrvA | Format::MrvB => None,
            },
        }
    }
}

/// A part of one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) columns: Range<usize>,
}

impl Date {
    /// Returns the date, if the calendar has it.
    pub fn new(year: u16, month: u8, day: u8) -> Option<Date> {
        let fits = (1..=12).contains(&month) && (1..=days(year, month)).contains(&day);
        fits.then_some(Date { year, month, day })
    }

    /// Reads `YYYY-MM-DD`.
    pub fn from_iso(text: &str) -> Option<Date> {
        let [year, month, day] = <[&str; 3]>::try_from(text.split('-').collect::<Vec<_>>()).ok()?;
        let plain = |part: &str, length: usize| {
            (part.len() == length && part.bytes().all(|b| b.is_ascii_digit())).then_some(())
        };
        plain(year, 4)?;
        plain(month, 2)?;
        plain(day, 2)?;
        Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
    }
}

fn days(year: u16, month: u8) -> u8 {
    match month {
        2 if year.is_multiple_of(if year.is_multiple_of(100) { 400 } else { 4 }) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// A date as a zone prints it: two digits of the year, and parts may be unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShortDate {
    /// 0 to 99.
    pub year: Option<u8>,
    /// 1 to 12.
    pub month: Option<u8>,
    /// 1 to 31.
    pub day: Option<u8>,
}

impl ShortDate {
    /// Reads `YYMMDD`, where fillers stand for what is unknown; `None` when no calendar has such a
    /// date.
    pub(super) fn read(text: &str) -> Option<ShortDate> {
        let part = |range: Range<usize>| match text.get(range)? {
            "<<" => Some(None),
            digits if digits.bytes().all(|b| b.is_ascii_digit()) => {
                Some(Some(digits.parse::<u8>().ok()?))
            }
            _ => None,
        };
        let date = ShortDate {
            year: part(0..2)?,
            month: part(2..4)?,
            day: part(4..6)?,
        };
        let month_fits = date.month.is_none_or(|month| (1..=12).contains(&month));
        // Of an unknown year or month, the longest.
        let most = match (date.year, date.month) {
            (Some(year), Some(month)) => {
                let longest = |century: u16| days(century + u16::from(year), month);
                longest(1900).max(longest(2000))
            }
            (None, Some(month)) => days(2000, month),
            _ => 31,
        };
        (month_fits && date.day.is_none_or(|day| (1..=most).contains(&day))).then_some(date)
    }

    /// Whether it prints `date`; false while a part is unknown.
    pub fn prints(&self, date: Date) -> bool {
        *self
            == ShortDate {
                year: Some((date.year % 100) as u8),
                month: Some(date.month),
                day: Some(date.day),
            }
    }

    /// Whether it may be `date`: every part that is known is that of `date`.
    pub fn may_be(&self, date: Date) -> bool {
        self.year
            .is_none_or(|year| u16::from(year) == date.year % 100)
            && self.month.is_none_or(|month| month == date.month)
            && self.day.is_none_or(|day| day == date.day)
    }

    fn whole(&self, century: u16) -> Option<Date> {
        Date::new(century + u16::from(self.year?), self.month?, self.day?)
    }

    /// The last such date that is not after `today`: the birth date of a holder of less than a
    /// hundred years. `None` while a part is unknown.
    pub fn before(&self, today: Date) -> Option<Date> {
        let century = today.year / 100 * 100;
        [century, century.saturating_sub(100)]
            .into_iter()
            .filter_map(|century| self.whole(century))
            .find(|date| *date <= today)
    }

    /// The date that is nearest to `today`, in years: an expiry date. `None` while a part is
    /// unknown.
    pub fn nearest(&self, today: Date) -> Option<Date> {
        let century = today.year / 100 * 100;
        [century.saturating_sub(100), century, century + 100]
            .into_iter()
            .filter_map(|century| self.whole(century))
            .min_by_key(|date| date.year.abs_diff(today.year))
    }
}

/// Returns the check digit of Doc 9303-3 section 4.9: weights 7, 3, 1, modulo 10. `text` holds
/// digits, A to Z and fillers.
pub fn check_digit(text: impl IntoIterator<Item = u8>) -> u8 {
    let sum: u32 = text
        .into_iter()
        .zip([7, 3, 1].into_iter().cycle())
        .map(|(c, weight)| weight * value(c))
        .sum();
    b'0' + (sum % 10) as u8
}

/// What a character counts in a check digit.
pub(super) fn value(c: u8) -> u32 {
    match c {
        b'0'..=b'9' => u32::from(c - b'0'),
        b'A'..=b'Z' => u32::from(c - b'A') + 10,
        _ => 0,
    }
}

impl Mrz {
    /// Reads the lines of a zone, separated by line ends; spaces are left out, small letters become
    /// capitals.
    ///
    /// `Kind::Input` when shape, characters or document code are of no format. Check digits are not
    /// looked at.
    pub fn parse(text: &str) -> Result<Mrz> {
        let fault = |message: String| Error::new(Stage::Document, Kind::Input, message);
        let mut lines: Vec<String> = text
            .lines()
            .map(|line| {
                line.chars()
                    .filter(|c| !c.is_whitespace())
                    .collect::<String>()
            })
            .filter(|line| !line.is_empty())
            .collect();
        lines
            .iter_mut()
            .for_each(|line| line.make_ascii_uppercase());
        if let Some(row) = lines.iter().position(|line| {
            !line
                .bytes()
                .all(|c| matches!(c, b'0'..=b'9' | b'A'..=b'Z' | b'<'))
        }) {
            let what = "holds a character that no zone has; it has A to Z, 0 to 9 and <";
            return Err(fault(format!("line {} {what}", row + 1)));
        }
        let lengths: Vec<usize> = lines.iter().map(String::len).collect();
        let first = lines.first().and_then(|line| line.bytes().next());
        let even = lengths.windows(2).all(|pair| pair[0] == pair[1]);
        let format = first
            .filter(|_| even)
            .and_then(|first| Format::of(lengths.len(), lengths[0], first));
        let Some(format) = format else {
            return Err(fault(format!(
                "lines of {lengths:?} characters are no machine-readable zone; it has three of 30, \
                two of 36 or two of 44"
            )));
        };
        let mrz = Mrz { format, lines };
        if !codes::is_document_code(format, mrz.code()) {
            let letters = match format {
                Format::Td3 => "P, or V for a visa",
                _ => "A, C, I or P, or V for a visa",
            };
            return Err(fault(format!(
                "the document code is none of a {}, which begins with {letters}",
                format.name()
            )));
        }
        Ok(mrz)
    }

    /// Returns the format.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Returns the lines.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    pub(super) fn at(&self, place: &Place) -> &str {
        &self.lines[place.line][place.columns.clone()]
    }

    /// Returns a field as it is printed, without the fillers at its end; `None` where the format
    /// lacks it.
    pub fn field(&self, name: FieldName) -> Option<&str> {
        let place = self.format.place(name)?;
        Some(self.at(&place).trim_end_matches('<'))
    }

    fn required(&self, name: FieldName) -> &str {
        self.field(name).unwrap_or_default()
    }

    /// Returns the document code.
    pub fn code(&self) -> &str {
        self.required(FieldName::DocumentCode)
    }

    /// Returns the issuer's code.
    pub fn issuer(&self) -> &str {
        self.required(FieldName::Issuer)
    }

    /// Returns the nationality's code.
    pub fn nationality(&self) -> &str {
        self.required(FieldName::Nationality)
    }

    /// Returns `F`, `M`, `X`, or nothing where it is not stated.
    pub fn sex(&self) -> &str {
        self.required(FieldName::Sex)
    }

    /// Returns the names.
    pub fn names(&self) -> Names {
        let place = self.format.place(FieldName::Name);
        Names::read(place.as_ref().map_or("", |place| self.at(place)))
    }

    /// Returns the birth date as printed; `None` when it is no date.
    pub fn birth_date(&self) -> Option<ShortDate> {
        self.date(FieldName::BirthDate)
    }

    /// Returns the expiry date as printed; `None` when it is no date.
    pub fn expiry_date(&self) -> Option<ShortDate> {
        self.date(FieldName::ExpiryDate)
    }

    fn date(&self, name: FieldName) -> Option<ShortDate> {
        self.format
            .place(name)
            .and_then(|place| ShortDate::read(self.at(&place)))
    }

    /// Returns the document's number, a long one whole.
    pub fn number(&self) -> String {
        let head = self.required(FieldName::Number);
        match self.number_tail() {
            Some(tail) => format!("{head}{}", &tail[..tail.len() - 1]),
            None => head.to_owned(),
        }
    }

    /// The end of a number of more than nine characters and its check digit, which stand in the
    /// optional field of cards whose place of the digit is left blank (Doc 9303-5, 4.2.2, note j).
    fn number_tail(&self) -> Option<&str> {
        let (digit, over) = self.format.digit(Check::Number)?;
        let optional = self.format.place(FieldName::Optional)?;
        let cards = matches!(self.format, Format::Td1 | Format::Td2);
        let full = !over.iter().any(|place| self.at(place).contains('<'));
        if !cards || self.at(&digit) != "<" || !full {
            return None;
        }
        let tail = self.at(&optional).split('<').next()?;
        (tail.len() >= 2 && tail.bytes().last()?.is_ascii_digit()).then_some(tail)
    }

    /// Returns what a check digit says.
    pub fn check(&self, check: Check) -> CheckResult {
        let Some((digit, over)) = self.format.digit(check) else {
            return CheckResult::Absent;
        };
        if check == Check::Number
            && let Some(tail) = self.number_tail()
        {
            let (rest, last) = tail.split_at(tail.len() - 1);
            let head = self.required(FieldName::Number);
            return result(
                check_digit(head.bytes().chain(rest.bytes())),
                last.as_bytes()[0],
            );
        }
        let printed = self.at(&digit).as_bytes()[0];
        let covered = || over.iter().flat_map(|place| self.at(place).bytes());
        // An empty optional field, or one of a state that has no number to check.
        if printed == b'<' && check != Check::Composite && covered().all(|c| c == b'<') {
            return CheckResult::Absent;
        }
        result(check_digit(covered()), printed)
    }

    /// Whether no check digit fails.
    pub fn digits_hold(&self) -> bool {
        Check::ALL
            .iter()
            .all(|&check| self.check(check) != CheckResult::Fails)
    }

    /// Whether the issuer's code is one of Doc 9303-3.
    pub fn issuer_is_known(&self) -> bool {
        codes::is_state(self.issuer())
    }

    /// Whether the document code is one of the format.
    pub fn code_is_known(&self) -> bool {
        codes::is_document_code(self.format, self.code())
    }
}

fn result(computed: u8, printed: u8) -> CheckResult {
    if computed == printed {
        CheckResult::Holds
    } else {
        CheckResult::Fails
    }
}
