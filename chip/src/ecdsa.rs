//! Verification of ECDSA (FIPS 186-4, 6.4; BSI TR-03111, 4.2.1.2).
//!
//! Curves that RustCrypto implements are verified by it. For the others (brainpool of 224, 320 and
//! 512 bits, P-224) there is a verification here, on RustCrypto's modular integers. Everything that
//! it sees is public, so its time may depend on it.

use crate::curve::Curve;
use crypto_bigint::modular::{FixedMontyForm, FixedMontyParams};
use crypto_bigint::{CheckedAdd as _, Odd, U576};
use ecdsa::signature::hazmat::PrehashVerifier as _;

/// Whether (r, s) signs a digest for the public key `point`, which is x and y one after the other.
pub(crate) fn verify(curve: &Curve, point: &[u8], digest: &[u8], r: &[u8], s: &[u8]) -> bool {
    let length = curve.length();
    let (Some(r), Some(s)) = (padded(r, length), padded(s, length)) else {
        return false;
    };
    if point.len() != 2 * length || !curve.has(point) {
        return false;
    }
    // Of a longer digest the leftmost bits count; a shorter one is the number that it is.
    let digest = match digest.len() {
        longer if longer >= length => digest.to_vec(),
        _ => padded(digest, length).unwrap_or_default(),
    };
    let key = [&[4], point].concat();
    let signature = [&r[..], &s[..]].concat();
    macro_rules! by {
        ($curve:ty) => {
            match (
                ecdsa::VerifyingKey::<$curve>::from_sec1_bytes(&key),
                ecdsa::Signature::<$curve>::from_slice(&signature),
            ) {
                (Ok(key), Ok(signature)) => key.verify_prehash(&digest, &signature).is_ok(),
                _ => false,
            }
        };
    }
    match curve.name {
        "P-256" => by!(p256::NistP256),
        "P-384" => by!(p384::NistP384),
        "P-521" => by!(p521::NistP521),
        "brainpoolP256r1" => by!(bp256::BrainpoolP256r1),
        "brainpoolP384r1" => by!(bp384::BrainpoolP384r1),
        _ => verify_here(curve, point, &digest[..length], &r, &s),
    }
}

/// `number` with zeros before it, of `length` bytes; `None` when it is longer.
fn padded(number: &[u8], length: usize) -> Option<Vec<u8>> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let significant = &number[zeros..];
    let missing = length.checked_sub(significant.len())?;
    Some([&vec![0; missing], significant].concat())
}

type Residue = FixedMontyForm<{ U576::LIMBS }>;

/// The integers modulo a prime of the table of curves.
pub(crate) struct Field {
    params: FixedMontyParams<{ U576::LIMBS }>,
}

impl Field {
    pub(crate) fn new(prime: &str) -> Field {
        let prime = Odd::new(number(prime)).expect("the table holds odd primes");
        Field {
            params: FixedMontyParams::new_vartime(prime),
        }
    }

    fn residue(&self, digits: &str) -> Residue {
        Residue::new(&number(digits), &self.params)
    }

    fn of_bytes(&self, bytes: &[u8]) -> Residue {
        Residue::new(&number_of(bytes), &self.params)
    }

    fn prime(&self) -> &U576 {
        self.params.modulus()
    }

    pub(crate) fn is_on(&self, curve: &Curve, coordinates: &[u8]) -> bool {
        let (x, y) = coordinates.split_at(coordinates.len() / 2);
        if number_of(x) >= *self.prime() || number_of(y) >= *self.prime() {
            return false;
        }
        let (x, y) = (self.of_bytes(x), self.of_bytes(y));
        let (a, b) = (self.residue(curve.a), self.residue(curve.b()));
        y * y == x * x * x + a * x + b
    }
}

/// A number in hexadecimal digits.
fn number(digits: &str) -> U576 {
    U576::from_be_hex(&format!("{digits:0>width$}", width = 2 * U576::BYTES))
}

/// A number of at most 576 bits; of more bytes, which no caller has, the last.
fn number_of(bytes: &[u8]) -> U576 {
    let mut whole = [0; U576::BYTES];
    let bytes = &bytes[bytes.len().saturating_sub(U576::BYTES)..];
    whole[U576::BYTES - bytes.len()..].copy_from_slice(bytes);
    U576::from_be_slice(&whole)
}

/// A point as (X / Z^2, Y / Z^3); Z = 0 is the point at infinity.
#[derive(Clone, Copy)]
struct Point {
    x: Residue,
    y: Residue,
    z: Residue,
}

struct Group {
    field: Field,
    a: Residue,
}

impl Group {
    fn infinity(&self) -> Point {
        let (zero, one) = (
            Residue::zero(&self.field.params),
            Residue::one(&self.field.params),
        );
        Point {
            x: one,
            y: one,
            z: zero,
        }
    }

    fn is_infinity(&self, point: &Point) -> bool {
        point.z == Residue::zero(&self.field.params)
    }

    /// IEEE 1363, A.10.4.
    fn double(&self, p: &Point) -> Point {
        let y2 = p.y * p.y;
        let z2 = p.z * p.z;
        let four_s = p.x * y2;
        let s = four_s + four_s + four_s + four_s;
        let x2 = p.x * p.x;
        let m = x2 + x2 + x2 + self.a * z2 * z2;
        let x = m * m - s - s;
        let y4 = y2 * y2;
        let y4 = y4 + y4;
        let y4 = y4 + y4;
        let y = m * (s - x) - y4 - y4;
        let z = p.y * p.z;
        Point { x, y, z: z + z }
    }

    /// IEEE 1363, A.10.5.
    fn add(&self, p: &Point, q: &Point) -> Point {
        if self.is_infinity(p) {
            return *q;
        }
        if self.is_infinity(q) {
            return *p;
        }
        let (p2, q2) = (p.z * p.z, q.z * q.z);
        let (u1, u2) = (p.x * q2, q.x * p2);
        let (s1, s2) = (p.y * q2 * q.z, q.y * p2 * p.z);
        if u1 == u2 {
            return if s1 == s2 {
                self.double(p)
            } else {
                self.infinity()
            };
        }
        let (h, r) = (u2 - u1, s2 - s1);
        let h2 = h * h;
        let (h3, u1h2) = (h2 * h, u1 * h2);
        let x = r * r - h3 - u1h2 - u1h2;
        Point {
            x,
            y: r * (u1h2 - x) - s1 * h3,
            z: h * p.z * q.z,
        }
    }

    /// u * P + v * Q (Shamir's trick).
    fn combine(&self, u: &U576, p: &Point, v: &U576, q: &Point) -> Point {
        let both = self.add(p, q);
        let mut sum = self.infinity();
        for i in (0..U576::BITS).rev() {
            sum = self.double(&sum);
            match (u.bit_vartime(i), v.bit_vartime(i)) {
                (true, true) => sum = self.add(&sum, &both),
                (true, false) => sum = self.add(&sum, p),
                (false, true) => sum = self.add(&sum, q),
                (false, false) => {}
            }
        }
        sum
    }
}

/// The same for any curve whose order has as many bits as its prime. `digest`,
/// `r` and `s` have the length of a coordinate, and `point` is on the curve.
fn verify_here(curve: &Curve, point: &[u8], digest: &[u8], r: &[u8], s: &[u8]) -> bool {
    let order = Field::new(curve.n);
    let (r, s) = (number_of(r), number_of(s));
    let allowed = |value: &U576| *value != U576::ZERO && value < order.prime();
    if !allowed(&r) || !allowed(&s) {
        return false;
    }
    let inverse = Residue::new(&s, &order.params).invert_vartime();
    let Some(inverse) = inverse.into_option() else {
        return false;
    };
    let u = (order.of_bytes(digest) * inverse).retrieve();
    let v = (Residue::new(&r, &order.params) * inverse).retrieve();

    let field = Field::new(curve.p);
    let affine = |x: Residue, y: Residue| Point {
        x,
        y,
        z: Residue::one(&field.params),
    };
    let (x, y) = point.split_at(curve.length());
    let key = affine(field.of_bytes(x), field.of_bytes(y));
    let generator = affine(field.residue(curve.x), field.residue(curve.y));
    let a = field.residue(curve.a);
    let group = Group { field, a };
    let sum = group.combine(&u, &generator, &v, &key);
    if group.is_infinity(&sum) {
        return false;
    }
    // x mod n is r, without a division: x = X / Z^2 is r or r + n.
    let z2 = sum.z * sum.z;
    let is = |candidate: &U576| Residue::new(candidate, &group.field.params) * z2 == sum.x;
    let above = r
        .checked_add(order.prime())
        .into_option()
        .filter(|x| x < group.field.prime());
    is(&r) || above.is_some_and(|x| is(&x))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::curve::CURVES;

    /// The generator times 1, 2, 3 is on the curve, and n times it is infinity.
    #[test]
    fn the_group_closes() {
        for curve in &CURVES {
            let field = Field::new(curve.p);
            let generator = Point {
                x: field.residue(curve.x),
                y: field.residue(curve.y),
                z: Residue::one(&field.params),
            };
            let (a, order) = (field.residue(curve.a), number(curve.n));
            let group = Group { field, a };
            let times = |n: &U576| group.combine(n, &generator, &U576::ZERO, &generator);
            assert!(group.is_infinity(&times(&order)), "{}", curve.name);
            assert!(
                !group.is_infinity(&times(&order.wrapping_sub(&U576::ONE))),
                "{}",
                curve.name
            );
            let doubled = group.double(&generator);
            let (sum, three) = (group.add(&doubled, &generator), times(&U576::from(3u8)));
            assert!(
                sum.x * three.z * three.z == three.x * sum.z * sum.z,
                "{}",
                curve.name
            );
        }
    }

    /// Signatures by RustCrypto hold here too, and changed ones hold nowhere.
    #[test]
    fn both_verifications_agree() {
        use ecdsa::signature::hazmat::PrehashSigner as _;
        let curve = CURVES.iter().find(|curve| curve.name == "P-256").unwrap();
        for i in 1..40u8 {
            let key = p256::ecdsa::SigningKey::from_slice(&[i; 32]).unwrap();
            let digest = [i.wrapping_mul(37); 32];
            let signature: p256::ecdsa::Signature = key.sign_prehash(&digest).unwrap();
            let (r, s) = signature.split_bytes();
            let point = key.verifying_key().to_sec1_point(false);
            let point = &point.as_bytes()[1..];
            assert!(verify(curve, point, &digest, &r, &s));
            assert!(verify_here(curve, point, &digest, &r, &s));
            let mut changed = digest;
            changed[5] ^= 1;
            assert!(!verify(curve, point, &changed, &r, &s));
            assert!(!verify_here(curve, point, &changed, &r, &s));
            assert!(!verify_here(curve, point, &digest, &s, &r));
        }
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        let curve = CURVES
            .iter()
            .find(|curve| curve.name == "brainpoolP512r1")
            .unwrap();
        let point = [crate::curve::bytes(curve.x), crate::curve::bytes(curve.y)].concat();
        let order = crate::curve::bytes(curve.n);
        for (r, s) in [
            (&[][..], &[1][..]),
            (&[1], &[]),
            (&order, &[1]),
            (&[1], &order),
        ] {
            assert!(!verify(curve, &point, &[7; 64], r, s));
        }
        assert!(!verify(curve, &point, &[7; 64], &[1; 65], &[1]));
    }
}
