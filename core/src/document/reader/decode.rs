//! Which characters a zone holds, by what the cells show and what Doc 9303 lets stand there.

use super::cells::{CLASSES, Cell};
use crate::document::codes;
use crate::document::mrz::{Place, check_digit, value};
use crate::evidence::{Check, FieldName, Format};

/// The characters in the order of the network's classes.
const ALPHABET: &[u8; CLASSES] = b"<0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// What a character costs, in nats, that does not belong where it stands.
const MISPLACED: f32 = 4.0;
/// What a reading may lose, in nats, to be a code of the list, and for its check digit to hold.
const LISTED: f32 = 5.0;
/// What speaks against a code that is none of the list, in nats.
const UNLISTED: f32 = 2.5;
const MENDED: f32 = 6.0;
/// What a check digit costs that does not hold, in the mean score of a cell.
const FAILING: f32 = 0.15;
/// The margin from which on nothing is gained by another look.
const CLEAR: f32 = 3.0;
/// Classes of a cell that a mended field may take.
const LIKELY: usize = 6;

/// A zone as it was read. Wiped by whoever takes the lines.
pub(super) struct Reading {
    pub(super) lines: Vec<String>,
    /// The mean score of a cell.
    pub(super) score: f32,
    /// By how much each character is likelier than the next, in nats.
    pub(super) margins: Vec<Vec<f32>>,
    /// Check digits that do not hold.
    pub(super) failing: usize,
}

impl Reading {
    /// Whether every digit holds and no character is near to another.
    pub(super) fn is_clear(&self) -> bool {
        self.failing == 0 && self.margins.iter().flatten().all(|margin| *margin >= CLEAR)
    }
}

/// What may stand in a place.
fn belongs(field: FieldName, class: usize) -> bool {
    let c = ALPHABET[class];
    match field {
        FieldName::Issuer | FieldName::Nationality | FieldName::Name => !c.is_ascii_digit(),
        FieldName::BirthDate | FieldName::ExpiryDate => !c.is_ascii_uppercase(),
        FieldName::Sex => matches!(c, b'M' | b'F' | b'X' | b'<'),
        FieldName::DocumentCode => true,
        FieldName::Number | FieldName::Optional | FieldName::Optional2 => true,
    }
}

fn likeliest(cell: &Cell) -> usize {
    (1..CLASSES).fold(0, |best, class| {
        if cell[class] > cell[best] {
            class
        } else {
            best
        }
    })
}

fn class_of(c: u8) -> Option<usize> {
    ALPHABET.iter().position(|&other| other == c)
}

/// Reads two lines of 44 or 36 cells, or three of 30.
pub(super) fn decode(lines: &[&[Cell]], score: f32) -> Reading {
    let first = ALPHABET[likeliest(&lines[0][0])];
    let format = Format::of(lines.len(), lines[0].len(), first).unwrap_or(Format::Td3);
    let mut cells: Vec<Vec<Cell>> = lines.iter().map(|line| line.to_vec()).collect();
    let digits: Vec<_> = Check::ALL
        .iter()
        .filter_map(|&check| Some((check, format.digit(check)?)))
        .collect();
    for field in FieldName::ALL {
        let Some(place) = format.place(*field) else {
            continue;
        };
        for cell in &mut cells[place.line][place.columns] {
            for (class, value) in cell.iter_mut().enumerate() {
                if !belongs(*field, class) {
                    *value -= MISPLACED;
                }
            }
        }
    }
    for (check, (place, _)) in &digits {
        // A number may go on elsewhere, and an optional field may be empty.
        let may_be_absent = matches!(check, Check::Number | Check::Optional);
        for cell in &mut cells[place.line][place.columns.clone()] {
            for (class, value) in cell.iter_mut().enumerate() {
                let is_absent = ALPHABET[class] == b'<' && may_be_absent;
                if !ALPHABET[class].is_ascii_digit() && !is_absent {
                    *value -= MISPLACED;
                }
            }
        }
    }
    let mut classes: Vec<Vec<usize>> = cells
        .iter()
        .map(|line| line.iter().map(likeliest).collect())
        .collect();
    let codes = document_codes(format);
    let listed: Vec<(Place, Vec<Code>)> = [
        FieldName::DocumentCode,
        FieldName::Issuer,
        FieldName::Nationality,
    ]
    .into_iter()
    .filter_map(|field| {
        let place = format.place(field)?;
        let seen = &cells[place.line][place.columns.clone()];
        let known = match field {
            FieldName::DocumentCode => weighed(seen, codes.iter().map(String::as_str)),
            _ => weighed(seen, codes::states()),
        };
        Some((place, known))
    })
    .collect();
    for (place, known) in &listed {
        let columns = place.columns.clone();
        take_listed(
            &cells[place.line][columns.clone()],
            &mut classes[place.line][columns],
            known,
        );
    }
    let mut failing = 0;
    for field in [
        FieldName::Number,
        FieldName::BirthDate,
        FieldName::ExpiryDate,
    ] {
        let Some(place) = format.place(field) else {
            continue;
        };
        let (line, columns) = (place.line, place.columns.start..place.columns.end + 1);
        // A number that goes on in the optional field has its digit there.
        let last = classes[line][columns.end - 1];
        if field == FieldName::Number && ALPHABET[last] == b'<' {
            continue;
        }
        match mended(&cells[line][columns.clone()]) {
            Some(found) => classes[line][columns].copy_from_slice(&found),
            None => failing += 1,
        }
    }
    if let Some((place, over)) = format.digit(Check::Composite) {
        let text = over.iter().flat_map(|part| {
            let line = &classes[part.line];
            line[part.columns.clone()]
                .iter()
                .map(|&class| ALPHABET[class])
        });
        let printed = ALPHABET[classes[place.line][place.columns.start]];
        failing += usize::from(check_digit(text) != printed);
    }
    let mut margins: Vec<Vec<f32>> = cells
        .iter()
        .zip(&classes)
        .map(|(line, chosen)| {
            line.iter()
                .zip(chosen)
                .map(|(cell, &chosen)| {
                    let others = cell
                        .iter()
                        .enumerate()
                        .filter(|(class, _)| *class != chosen);
                    cell[chosen] - others.map(|(_, v)| *v).fold(f32::NEG_INFINITY, f32::max)
                })
                .collect()
        })
        .collect();
    for (place, known) in &listed {
        let columns = place.columns.clone();
        contest(
            &classes[place.line][columns.clone()],
            known,
            &mut margins[place.line][columns],
        );
    }
    let text = |line: &Vec<usize>| {
        line.iter()
            .map(|&class| char::from(ALPHABET[class]))
            .collect()
    };
    Reading {
        lines: classes.iter().map(text).collect(),
        score: score - FAILING * failing as f32,
        margins,
        failing,
    }
}

/// Classes of a code that a place may hold, and how likely it is what the cells show.
type Code = (f32, Vec<usize>);

/// How likely the cells show each code, filled up.
fn weighed<'a>(cells: &[Cell], codes: impl Iterator<Item = &'a str>) -> Vec<Code> {
    let weigh = |code: &str| -> Option<Code> {
        let padded = code.bytes().chain(std::iter::repeat(b'<'));
        let classes: Vec<usize> = padded
            .take(cells.len())
            .map(class_of)
            .collect::<Option<_>>()?;
        Some((score(cells, &classes), classes))
    };
    codes.filter_map(weigh).collect()
}

fn score(cells: &[Cell], classes: &[usize]) -> f32 {
    let pairs = cells.iter().zip(classes);
    pairs.map(|(cell, &class)| cell[class]).sum()
}

/// Takes the likeliest code of the list, unless that costs more than `LISTED`.
fn take_listed(cells: &[Cell], classes: &mut [usize], known: &[Code]) {
    let best = known.iter().max_by(|a, b| a.0.total_cmp(&b.0));
    if let Some((_, code)) = best.filter(|(value, _)| *value > score(cells, classes) - LISTED) {
        classes.copy_from_slice(code);
    }
}

/// A code of a list has its margin against the others of the list; what the cells say for a code
/// that is none counts too, `UNLISTED` less.
fn contest(chosen: &[usize], known: &[Code], margins: &mut [f32]) {
    let Some((own, _)) = known.iter().find(|(_, code)| code == chosen) else {
        return;
    };
    for (at, margin) in margins.iter_mut().enumerate() {
        let others = known.iter().filter(|(_, code)| code[at] != chosen[at]);
        let next = others
            .map(|(value, _)| *value)
            .fold(f32::NEG_INFINITY, f32::max);
        *margin = (own - next).min(*margin + UNLISTED);
    }
}

/// The codes that a document of that format may bear.
fn document_codes(format: Format) -> Vec<String> {
    let seconds = (b'A'..=b'Z').map(Some).chain([None, Some(b'1')]);
    let firsts = match format {
        Format::Td3 => "P",
        Format::MrvA | Format::MrvB => "V",
        Format::Td1 | Format::Td2 => "ACIP",
    };
    let code = |first: char, second: Option<u8>| {
        let second = second.map(char::from);
        std::iter::once(first).chain(second).collect::<String>()
    };
    firsts
        .chars()
        .flat_map(|first| seconds.clone().map(move |second| code(first, second)))
        .filter(|code| codes::is_document_code(format, code))
        .collect()
}

/// Classes of the likeliest cells of which the last is the check digit of the others; `None` where
/// that costs more than `MENDED`.
fn mended(cells: &[Cell]) -> Option<Vec<usize>> {
    let (last, field) = cells.split_last()?;
    // By the remainder so far: the score, and the classes.
    let mut best: [Option<(f32, Vec<usize>)>; 10] = std::array::from_fn(|_| None);
    best[0] = Some((0.0, Vec::new()));
    for (i, cell) in field.iter().enumerate() {
        let mut order: Vec<usize> = (0..CLASSES).collect();
        order.sort_by(|&a, &b| cell[b].total_cmp(&cell[a]).then(a.cmp(&b)));
        let mut next: [Option<(f32, Vec<usize>)>; 10] = std::array::from_fn(|_| None);
        for &class in &order[..LIKELY] {
            let add = value(ALPHABET[class]) * [7, 3, 1][i % 3];
            for (rest, state) in best.iter().enumerate() {
                let Some((score, classes)) = state else {
                    continue;
                };
                let to = &mut next[(rest + add as usize) % 10];
                let total = score + cell[class];
                if to.as_ref().is_none_or(|(known, _)| total > *known) {
                    let longer = classes.iter().copied().chain([class]).collect();
                    *to = Some((total, longer));
                }
            }
        }
        best = next;
    }
    let ends = best.into_iter().enumerate().filter_map(|(rest, state)| {
        let (score, mut classes) = state?;
        let digit = class_of(b'0' + rest as u8)?;
        classes.push(digit);
        Some((score + last[digit], classes))
    });
    let (score, classes) = ends.max_by(|a, b| a.0.total_cmp(&b.0))?;
    let free: f32 = cells.iter().map(|cell| cell[likeliest(cell)]).sum();
    (score >= free - MENDED).then_some(classes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TD3: [&str; 2] = [
        "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
        "L898902C36UTO7408122F1204159ZE184226B<<<<<10",
    ];

    fn seen(lines: &[&str]) -> Vec<Vec<Cell>> {
        let cell = |c: u8| {
            let mut cell = [-8.0; CLASSES];
            cell[class_of(c).unwrap()] = -0.1;
            cell
        };
        lines
            .iter()
            .map(|line| line.bytes().map(cell).collect())
            .collect()
    }

    fn read(cells: &[Vec<Cell>]) -> Reading {
        let lines: Vec<&[Cell]> = cells.iter().map(|line| &line[..]).collect();
        decode(&lines, -0.1)
    }

    #[test]
    fn what_is_clear_is_read_as_it_stands() {
        let reading = read(&seen(&TD3));
        assert_eq!(reading.lines, TD3);
        assert_eq!((reading.failing, reading.score), (0, -0.1));
        assert!(reading.margins.iter().flatten().all(|m| *m > 7.0));
    }

    #[test]
    fn a_check_digit_mends_a_doubt_and_its_margin_says_so() {
        let mut cells = seen(&TD3);
        // The first digit of the number looks a little more like a 3 than like the 8 that it is.
        let [three, eight] = [b'3', b'8'].map(|c| class_of(c).unwrap());
        cells[1][1][three] = -0.2;
        cells[1][1][eight] = -0.6;
        let reading = read(&cells);
        assert_eq!(reading.lines, TD3);
        assert!((reading.margins[1][1] + 0.4).abs() < 1e-6);
    }

    #[test]
    fn letters_do_not_stand_in_dates_nor_digits_in_names() {
        let mut cells = seen(&TD3);
        let at = |c: u8| class_of(c).unwrap();
        cells[1][13][at(b'T')] = -0.05;
        cells[0][5][at(b'3')] = -0.05;
        assert_eq!(read(&cells).lines, TD3);
    }

    #[test]
    fn a_state_of_the_list_is_taken_where_it_costs_little() {
        let mut cells = seen(&["P<DEUERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", TD3[1]]);
        let at = |c: u8| class_of(c).unwrap();
        cells[0][3][at(b'F')] = -0.05;
        assert!(read(&cells).lines[0].starts_with("P<DEU"));
    }

    #[test]
    fn a_code_of_a_list_has_its_margin_against_the_others() {
        let mut cells = seen(&TD3);
        let at = |c: u8| class_of(c).unwrap();
        // UTX is no state: that the last letter looks a little like an X says little.
        cells[0][4][at(b'X')] = -0.6;
        let margins = read(&cells).margins;
        assert!((margins[0][4] - 3.0).abs() < 1e-5, "{}", margins[0][4]);
        // UTX that is clear is told as a doubt, though the list has nothing nearer than UTO.
        cells[0][4][at(b'X')] = -0.1;
        cells[0][4][at(b'O')] = -4.1;
        let reading = read(&cells);
        assert_eq!(reading.lines, TD3);
        assert!(reading.margins[0][4] < -1.0 && !reading.is_clear());
    }

    #[test]
    fn a_wrong_digit_that_is_clear_is_not_mended_away() {
        let forged = TD3[1].replace("7408122", "7408123");
        let reading = read(&seen(&[TD3[0], &forged]));
        assert_eq!(reading.lines[1], forged);
        assert!(reading.failing > 0);
    }
}
