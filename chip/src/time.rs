//! Moments as certificates and signatures state them.

use crate::fault::{Parsed, broken};
use crate::tlv::{Element, GENERALIZED_TIME, UTC_TIME};

/// Seconds since 1970-01-01T00:00:00Z, leap seconds not counted.
pub(crate) type Seconds = i64;

/// Reads UTCTime or GeneralizedTime (RFC 5280, 4.1.2.5): with seconds, and in UTC.
pub(crate) fn seconds(element: &Element<'_>) -> Parsed<Seconds> {
    let two = |at: usize| -> Parsed<i64> {
        match element.content.get(at..at + 2) {
            Some(&[tens @ b'0'..=b'9', ones @ b'0'..=b'9']) => {
                Ok(i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
            }
            _ => broken("a time is not in digits"),
        }
    };
    let (year, at) = match element.tag {
        UTC_TIME => (two(0)? + if two(0)? < 50 { 2000 } else { 1900 }, 2),
        GENERALIZED_TIME => (two(0)? * 100 + two(2)?, 4),
        _ => return broken("a time was expected"),
    };
    let [month, day, hour, minute] = [two(at)?, two(at + 2)?, two(at + 4)?, two(at + 6)?];
    // BER may leave the seconds out, and some signers do.
    let (second, zone) = match element.content.get(at + 8) {
        Some(b'0'..=b'9') => (two(at + 8)?, at + 10),
        _ => (0, at + 8),
    };
    let valid = (1..=12).contains(&month)
        && (1..=days_of(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 61;
    if !valid || element.content.get(zone..) != Some(b"Z") {
        return broken("a time is impossible, or not in UTC");
    }
    Ok(((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second)
}

fn days_of(year: i64, month: i64) -> i64 {
    days(year + month / 12, month % 12 + 1, 1) - days(year, month, 1)
}

/// Days since 1970-01-01 in the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // March is month 0, so that the leap day is a year's last.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    365 * year + year.div_euclid(4) - year.div_euclid(100)
        + year.div_euclid(400)
        + (153 * month + 2) / 5
        + day
        - 719_469
}

/// Writes a moment as an ISO 8601 date.
pub(crate) fn date(seconds: Seconds) -> String {
    let day = seconds.div_euclid(86_400);
    let (mut year, mut month) = (1970 + day.div_euclid(366), 1);
    while days(year + 1, 1, 1) <= day {
        year += 1;
    }
    while month < 12 && days(year, month + 1, 1) <= day {
        month += 1;
    }
    format!("{year:04}-{month:02}-{:02}", day - days(year, month, 1) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tlv::{Reader, encode};

    fn read(tag: u32, text: &str) -> Parsed<Seconds> {
        let bytes = encode(tag, text.as_bytes());
        seconds(&Reader::new(&bytes).next().unwrap())
    }

    #[test]
    fn times_are_read() {
        assert_eq!(read(UTC_TIME, "700101000000Z"), Ok(0));
        assert_eq!(read(UTC_TIME, "000229120000Z"), Ok(951_825_600));
        assert_eq!(read(GENERALIZED_TIME, "20380119031408Z"), Ok(1 << 31));
        assert_eq!(read(UTC_TIME, "0002291200Z"), Ok(951_825_600));
        assert_eq!(date(951_825_600), "2000-02-29");
        assert_eq!(date(-1), "1969-12-31");
        assert_eq!(date(1 << 31), "2038-01-19");
    }

    #[test]
    fn impossible_times_are_refused() {
        for text in [
            "990229000000Z",
            "991301000000Z",
            "9901",
            "990101000000+0100",
            "99010100000xZ",
        ] {
            assert!(read(UTC_TIME, text).is_err(), "{text}");
        }
        assert!(read(2, "990101000000Z").is_err());
    }
}
