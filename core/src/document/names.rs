//! Names of a zone, and whether they are those of a person: transliteration after ICAO Doc 9303-3
//! section 6, order, hyphens, truncation, initials.

use serde::Serialize;
use zeroize::Zeroize;

/// The names of a zone, in parts. Wiped when dropped, and never shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Names {
    /// The primary identifier.
    pub family: Vec<String>,
    /// The secondary identifier; empty for a holder of one name.
    pub given: Vec<String>,
    /// Whether the name fills its field to the last character, so that its end may be missing.
    pub may_be_truncated: bool,
}

impl Drop for Names {
    fn drop(&mut self) {
        self.family.zeroize();
        self.given.zeroize();
    }
}

impl std::fmt::Debug for Names {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (family, given) = (self.family.len(), self.given.len());
        write!(f, "Names({family} family, {given} given)")
    }
}

impl Names {
    pub(super) fn read(field: &str) -> Names {
        let parts = |text: &str| {
            text.split('<')
                .filter(|part| !part.is_empty())
                .map(str::to_owned)
                .collect()
        };
        let (family, given) = field.split_once("<<").unwrap_or((field, ""));
        Names {
            family: parts(family),
            given: parts(given),
            may_be_truncated: !field.is_empty() && !field.ends_with('<'),
        }
    }
}

/// Whether two names are the same person's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// They are spelt alike, after the tables of Doc 9303.
    Match,
    /// Some of it agrees; a person should look.
    Partial,
    /// It cannot be told: nothing to compare, or a script without a table here.
    Unknown,
    /// They differ.
    Mismatch,
}

/// What comparing a holder's name with a zone gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct NameMatch {
    /// Of both together: the worse of the two.
    pub verdict: Verdict,
    /// Of the family name.
    pub family: Verdict,
    /// Of the given names.
    pub given: Verdict,
}

/// From here on Jaro-Winkler's similarity is a partial match.
const ALIKE: f64 = 0.92;

/// Compares the names that an account holds with those of a zone. What the account does not state
/// is not compared; with nothing stated the verdict is `Unknown`.
pub fn compare(family: Option<&str>, given: Option<&str>, zone: &Names) -> NameMatch {
    let stated = |name: Option<&str>| name.map(Parts::of).filter(|parts| !parts.0.is_empty());
    let (family, given) = (stated(family), stated(given));
    // Where the secondary identifier is cut the primary one is whole.
    let family_cut = zone.may_be_truncated && zone.given.is_empty();
    let mut match_ = NameMatch {
        family: family.as_ref().map_or(Verdict::Unknown, |f| {
            family_verdict(f, &zone.family, family_cut)
        }),
        given: given.as_ref().map_or(Verdict::Unknown, |g| {
            given_verdict(g, &zone.given, zone.may_be_truncated)
        }),
        verdict: Verdict::Unknown,
    };
    if let (Some(f), Some(g)) = (&family, &given)
        && match_.family == Verdict::Mismatch
        && match_.given == Verdict::Mismatch
    {
        // Family and given names stand the other way round in one of the two.
        let turned = family_verdict(g, &zone.family, family_cut) == Verdict::Match
            && given_verdict(f, &zone.given, zone.may_be_truncated) == Verdict::Match;
        if turned {
            (match_.family, match_.given) = (Verdict::Partial, Verdict::Partial);
        }
    }
    match_.verdict = match (&family, &given) {
        (Some(_), Some(_)) => match_.family.max(match_.given),
        (Some(_), None) => match_.family,
        (None, Some(_)) => match_.given,
        (None, None) => Verdict::Unknown,
    };
    match_
}

fn family_verdict(account: &Parts, zone: &[String], cut: bool) -> Verdict {
    if zone.is_empty() || !account.known() {
        return Verdict::Unknown;
    }
    let whole = zone.concat();
    if spells(&account.joined(), &whole, cut) || account.pairs_with(zone, cut) {
        return Verdict::Match;
    }
    // One part of a compound name, as after a marriage, or one written almost alike.
    let shared = account
        .0
        .iter()
        .any(|part| part.len() > 1 && zone.iter().any(|other| spells(part, other, false)));
    if shared || alike(account, &whole) {
        return Verdict::Partial;
    }
    Verdict::Mismatch
}

fn given_verdict(account: &Parts, zone: &[String], cut: bool) -> Verdict {
    if !account.known() || (zone.is_empty() && cut) {
        return Verdict::Unknown;
    }
    if zone.is_empty() {
        return Verdict::Mismatch;
    }
    let whole = zone.concat();
    if spells(&account.joined(), &whole, cut) || account.pairs_with(zone, cut) {
        return Verdict::Match;
    }
    // The account may leave out further given names, but none that it states may be missing.
    let last = zone.len() - 1;
    let stated: Vec<bool> = account
        .0
        .iter()
        .map(|part| {
            zone.iter()
                .enumerate()
                .any(|(i, other)| spells(part, other, cut && i == last))
        })
        .collect();
    if stated.iter().all(|&found| found) {
        return Verdict::Match;
    }
    let initial = |part: &[char], other: &str| {
        let (one, rest) = (part.len() == 1, other.len() == 1);
        (one && spells(part, &other[..1], false)) || (rest && starts(part, other))
    };
    let initials = account
        .0
        .iter()
        .zip(&stated)
        .all(|(part, &found)| found || zone.iter().any(|other| initial(part, other)));
    if initials || stated.iter().any(|&found| found) || alike(account, &whole) {
        return Verdict::Partial;
    }
    Verdict::Mismatch
}

/// An account's name, folded to capitals and split; wiped when dropped.
struct Parts(Vec<Vec<char>>);

impl Drop for Parts {
    fn drop(&mut self) {
        self.0.iter_mut().for_each(Zeroize::zeroize);
    }
}

impl Parts {
    /// Hyphens and spaces separate; apostrophes and full stops are left out, as a zone leaves them
    /// out (Doc 9303-4, 4.2.3).
    fn of(name: &str) -> Parts {
        let mut parts = vec![Vec::new()];
        for c in name.chars().flat_map(capitals) {
            match c {
                '\'' | '\u{2019}' | '\u{2bc}' | '`' | '.' => {}
                // An accent that stands by itself, after the letter that it belongs to.
                '\u{300}'..='\u{36f}' => {
                    if let Some(last) = parts.last_mut().and_then(|part| part.last_mut()) {
                        *last = compose(*last, c);
                    }
                }
                _ if c.is_whitespace() || "-\u{2010}\u{2011}\u{2013},<".contains(c) => {
                    parts.push(Vec::new());
                }
                _ => parts.last_mut().into_iter().for_each(|part| part.push(c)),
            }
        }
        parts.retain(|part| !part.is_empty());
        Parts(parts)
    }

    fn known(&self) -> bool {
        self.0.iter().flatten().all(|&c| !spellings(c).is_empty())
    }

    fn joined(&self) -> Vec<char> {
        self.0.concat()
    }

    /// Whether both have the same parts in any order; where the zone's end is cut, its last part
    /// may be the beginning of one, and parts may be missing.
    fn pairs_with(&self, zone: &[String], cut: bool) -> bool {
        let mut left: Vec<&Vec<char>> = self.0.iter().collect();
        for (i, part) in zone.iter().enumerate() {
            let cut_here = cut && i + 1 == zone.len();
            match left.iter().position(|own| spells(own, part, cut_here)) {
                Some(at) => {
                    left.swap_remove(at);
                }
                None => return false,
            }
        }
        left.is_empty() || cut
    }
}

/// Capital letters of `c`, in which ß stays one letter.
fn capitals(c: char) -> impl Iterator<Item = char> {
    let stays = matches!(c, 'ß' | 'ı');
    let many = (!stays).then(|| c.to_uppercase());
    stays
        .then_some(c)
        .into_iter()
        .chain(many.into_iter().flatten())
}

/// The letter with the accent, of those whose spellings differ from the bare letter's.
fn compose(letter: char, accent: char) -> char {
    match (letter, accent) {
        ('A', '\u{308}') => 'Ä',
        ('O', '\u{308}') => 'Ö',
        ('U', '\u{308}') => 'Ü',
        ('A', '\u{30a}') => 'Å',
        ('N', '\u{303}') => 'Ñ',
        ('И', '\u{306}') => 'Й',
        ('Е', '\u{308}') => 'Ё',
        ('І', '\u{308}') => 'Ї',
        _ => letter,
    }
}

/// Whether `zone` spells `name`; with `cut`, whether it spells a beginning of it.
fn spells(name: &[char], zone: &str, cut: bool) -> bool {
    // A bit for every place of the zone that some spelling of the letters so far ends at.
    let end = 1u64 << zone.len().min(63);
    let (mut reached, mut cut_short) = (1u64, zone.is_empty());
    for &letter in name {
        let mut next = 0;
        for at in (0..zone.len().min(63) + 1).filter(|at| reached & (1 << at) != 0) {
            for spelling in spellings(letter) {
                let left = &zone[at..];
                if left.starts_with(spelling) {
                    next |= 1 << (at + spelling.len()).min(63);
                }
                // The cut may fall inside a spelling of several letters.
                cut_short |= spelling.starts_with(left);
            }
        }
        cut_short |= next & end != 0;
        reached = next;
    }
    reached & end != 0 || (cut && cut_short)
}

/// Whether the first letter of `name` may be spelt so that it begins with `letter`.
fn starts(name: &[char], letter: &str) -> bool {
    name.first().is_some_and(|&c| {
        spellings(c)
            .iter()
            .any(|spelling| spelling.starts_with(letter))
    })
}

fn alike(account: &Parts, zone: &str) -> bool {
    let first: String = account
        .joined()
        .iter()
        .map(|&c| spellings(c).first().copied().unwrap_or_default())
        .collect();
    jaro_winkler(first.as_bytes(), zone.as_bytes()) >= ALIKE
}

/// Returns the similarity of Jaro and Winkler (1990), in 0..=1.
fn jaro_winkler(a: &[u8], b: &[u8]) -> f64 {
    if a.is_empty() || b.is_empty() {
        return 0.0;
    }
    let reach = (a.len().max(b.len()) / 2).saturating_sub(1);
    let mut taken = vec![false; b.len()];
    let mut shared = Vec::new();
    for (i, &c) in a.iter().enumerate() {
        let near = i.saturating_sub(reach)..(i + reach + 1).min(b.len());
        if let Some(j) = near.into_iter().find(|&j| !taken[j] && b[j] == c) {
            taken[j] = true;
            shared.push(c);
        }
    }
    if shared.is_empty() {
        return 0.0;
    }
    let other = b
        .iter()
        .zip(&taken)
        .filter(|(_, taken)| **taken)
        .map(|(c, _)| c);
    let moved = shared.iter().zip(other).filter(|(c, d)| c != d).count() / 2;
    let m = shared.len() as f64;
    let jaro = (m / a.len() as f64 + m / b.len() as f64 + (m - moved as f64) / m) / 3.0;
    let prefix = a.iter().zip(b).take(4).take_while(|(c, d)| c == d).count();
    jaro + 0.1 * prefix as f64 * (1.0 - jaro)
}

/// How a zone may spell a capital letter: the recommendation of Doc 9303-3 section 6 first, then
/// what issuers use beside it. None for what has no table here.
fn spellings(c: char) -> &'static [&'static str] {
    match c {
        'A'..='Z' | '0'..='9' => ascii(c),
        'À' | 'Á' | 'Â' | 'Ã' | 'Ā' | 'Ă' | 'Ą' | 'Ǎ' | 'Ạ' | 'Ả' | 'Ấ' | 'Ầ' | 'Ẩ' | 'Ẫ' | 'Ậ'
        | 'Ắ' | 'Ằ' | 'Ẳ' | 'Ẵ' | 'Ặ' => &["A"],
        'Ä' => &["AE", "A"],
        'Å' => &["AA", "A"],
        'Æ' => &["AE", "A"],
        'Ç' | 'Ć' | 'Ĉ' | 'Ċ' | 'Č' => &["C"],
        'Ď' | 'Đ' | 'Ḍ' => &["D", "DJ"],
        'Ð' => &["D", "DH"],
        'È' | 'É' | 'Ê' | 'Ë' | 'Ē' | 'Ĕ' | 'Ė' | 'Ę' | 'Ě' | 'Ẹ' | 'Ẻ' | 'Ẽ' | 'Ế' | 'Ề' | 'Ể'
        | 'Ễ' | 'Ệ' | 'Ə' => &["E"],
        'Ĝ' | 'Ğ' | 'Ġ' | 'Ģ' => &["G"],
        'Ĥ' | 'Ħ' | 'Ḥ' => &["H"],
        'Ì' | 'Í' | 'Î' | 'Ï' | 'Ĩ' | 'Ī' | 'Ĭ' | 'Į' | 'İ' | 'ı' | 'Ỉ' | 'Ị' => {
            &["I"]
        }
        'Ĳ' => &["IJ"],
        'Ĵ' => &["J"],
        'Ķ' => &["K"],
        'Ĺ' | 'Ļ' | 'Ľ' | 'Ŀ' | 'Ł' => &["L"],
        'Ń' | 'Ņ' | 'Ň' | 'Ŋ' => &["N"],
        'Ñ' => &["N", "NXX"],
        'Ò' | 'Ó' | 'Ô' | 'Õ' | 'Ō' | 'Ŏ' | 'Ơ' | 'Ọ' | 'Ỏ' | 'Ố' | 'Ồ' | 'Ổ' | 'Ỗ' | 'Ộ' | 'Ớ'
        | 'Ờ' | 'Ở' | 'Ỡ' | 'Ợ' => &["O"],
        'Ö' | 'Ő' => &["OE", "O"],
        'Ø' => &["OE", "O"],
        'Œ' => &["OE"],
        'Ŕ' | 'Ŗ' | 'Ř' => &["R"],
        'Ś' | 'Ŝ' | 'Ş' | 'Š' | 'Ș' | 'Ṣ' => &["S"],
        'ß' | 'ẞ' => &["SS"],
        'Ţ' | 'Ť' | 'Ŧ' | 'Ț' | 'Ṭ' => &["T"],
        'Þ' => &["TH"],
        'Ù' | 'Ú' | 'Û' | 'Ũ' | 'Ū' | 'Ŭ' | 'Ů' | 'Ų' | 'Ư' | 'Ụ' | 'Ủ' | 'Ứ' | 'Ừ' | 'Ử' | 'Ữ'
        | 'Ự' => &["U"],
        'Ü' | 'Ű' => &["UE", "UXX", "U"],
        'Ŵ' => &["W"],
        'Ý' | 'Ŷ' | 'Ÿ' | 'Ỳ' | 'Ỵ' | 'Ỷ' | 'Ỹ' => &["Y"],
        'Ź' | 'Ż' | 'Ž' | 'Ẓ' => &["Z"],
        // Cyrillic (Doc 9303-3 section 6 B; what single states use stands after the common one).
        'А' => &["A"],
        'Б' => &["B"],
        'В' => &["V"],
        'Г' => &["G", "H"],
        'Ґ' => &["G"],
        'Д' => &["D"],
        'Ѓ' => &["GJ", "G"],
        'Ђ' => &["D", "DJ"],
        'Е' => &["E", "IE", "YE"],
        'Ё' => &["E", "IO", "YO"],
        'Є' => &["IE", "YE"],
        'Ж' => &["ZH", "Z"],
        'З' => &["Z"],
        'Ѕ' => &["DZ"],
        'И' => &["I", "Y"],
        'І' => &["I"],
        'Ї' => &["I", "YI"],
        'Й' => &["I", "Y"],
        'Ј' => &["J"],
        'К' => &["K"],
        'Л' => &["L"],
        'Љ' => &["LJ"],
        'М' => &["M"],
        'Н' => &["N"],
        'Њ' => &["NJ"],
        'О' => &["O"],
        'П' => &["P"],
        'Р' => &["R"],
        'С' => &["S"],
        'Т' => &["T"],
        'Ќ' => &["KJ", "K"],
        'Ћ' => &["C"],
        'У' | 'Ў' => &["U"],
        'Ф' => &["F"],
        'Х' => &["KH", "H", "X"],
        'Ц' => &["TS", "C"],
        'Ч' => &["CH", "C"],
        'Џ' => &["DZ"],
        'Ш' => &["SH", "S"],
        'Щ' => &["SHCH", "SHT"],
        'Ъ' => &["IE", "", "A"],
        'Ы' => &["Y"],
        'Ь' => &[""],
        'Э' => &["E"],
        'Ю' => &["IU", "YU"],
        'Я' => &["IA", "YA"],
        _ => &[],
    }
}

fn ascii(c: char) -> &'static [&'static str] {
    const EACH: [&[&str]; 36] = [
        &["0"],
        &["1"],
        &["2"],
        &["3"],
        &["4"],
        &["5"],
        &["6"],
        &["7"],
        &["8"],
        &["9"],
        &["A"],
        &["B"],
        &["C"],
        &["D"],
        &["E"],
        &["F"],
        &["G"],
        &["H"],
        &["I"],
        &["J"],
        &["K"],
        &["L"],
        &["M"],
        &["N"],
        &["O"],
        &["P"],
        &["Q"],
        &["R"],
        &["S"],
        &["T"],
        &["U"],
        &["V"],
        &["W"],
        &["X"],
        &["Y"],
        &["Z"],
    ];
    c.to_digit(36).map_or(&[], |at| EACH[at as usize])
}
