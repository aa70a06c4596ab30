//! The elliptic curves of identity documents: a table, to name a curve by what stands in a key.
//!
//! Doc 9303-12 has keys state their curve's parameters in full. Nothing is ever computed on stated
//! parameters: they must equal those of a row here, the generator too (CVE-2020-0601 is what
//! happens otherwise).

use crate::fault::{Parsed, broken};
use crate::oid::{self, Algorithm, Oid};
use crate::tlv::{Element, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, Reader, SEQUENCE};

/// y^2 = x^3 + a x + b over the integers modulo p, with a generator (x, y) of prime order n and
/// cofactor 1. Numbers are hexadecimal, all of the length of p.
#[derive(Debug)]
pub(crate) struct Curve {
    pub(crate) name: &'static str,
    oid: &'static Oid,
    pub(crate) p: &'static str,
    pub(crate) a: &'static str,
    b: &'static str,
    pub(crate) x: &'static str,
    pub(crate) y: &'static str,
    pub(crate) n: &'static str,
}

/// FIPS 186-4 (P-) and RFC 5639 (brainpool).
pub(crate) static CURVES: [Curve; 9] = [
    Curve {
        name: "P-224",
        // 1.3.132.0.33
        oid: &[0x2b, 0x81, 0x04, 0x00, 0x21],
        p: "ffffffffffffffffffffffffffffffff000000000000000000000001",
        a: "fffffffffffffffffffffffffffffffefffffffffffffffffffffffe",
        b: "b4050a850c04b3abf54132565044b0b7d7bfd8ba270b39432355ffb4",
        x: "b70e0cbd6bb4bf7f321390b94a03c1d356c21122343280d6115c1d21",
        y: "bd376388b5f723fb4c22dfe6cd4375a05a07476444d5819985007e34",
        n: "ffffffffffffffffffffffffffff16a2e0b8f03e13dd29455c5c2a3d",
    },
    Curve {
        name: "P-256",
        // 1.2.840.10045.3.1.7
        oid: &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07],
        p: "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
        a: "ffffffff00000001000000000000000000000000fffffffffffffffffffffffc",
        b: "5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b",
        x: "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
        y: "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
        n: "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
    },
    Curve {
        name: "P-384",
        // 1.3.132.0.34
        oid: &[0x2b, 0x81, 0x04, 0x00, 0x22],
        p: "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff00000000\
             00000000ffffffff",
        a: "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff00000000\
             00000000fffffffc",
        b: "b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d\
             2a85c8edd3ec2aef",
        x: "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c\
             3a545e3872760ab7",
        y: "3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d\
             7a431d7c90ea0e5f",
        n: "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77a\
             ecec196accc52973",
    },
    Curve {
        name: "P-521",
        // 1.3.132.0.35
        oid: &[0x2b, 0x81, 0x04, 0x00, 0x23],
        p: "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\
             ffffffffffffffffffffffffffffffffffffffffffffffffffff",
        a: "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\
             fffffffffffffffffffffffffffffffffffffffffffffffffffc",
        b: "0051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e\
             937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00",
        x: "00c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d3dbaa14b5e77efe7\
             5928fe1dc127a2ffa8de3348b3c1856a429bf97e7e31c2e5bd66",
        y: "011839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e662c97ee72995ef4\
             2640c550b9013fad0761353c7086a272c24088be94769fd16650",
        n: "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f\
             966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409",
    },
    Curve {
        name: "brainpoolP224r1",
        // 1.3.36.3.3.2.8.1.1.5
        oid: &[0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x05],
        p: "d7c134aa264366862a18302575d1d787b09f075797da89f57ec8c0ff",
        a: "68a5e62ca9ce6c1c299803a6c1530b514e182ad8b0042a59cad29f43",
        b: "2580f63ccfe44138870713b1a92369e33e2135d266dbb372386c400b",
        x: "0d9029ad2c7e5cf4340823b2a87dc68c9e4ce3174c1e6efdee12c07d",
        y: "58aa56f772c0726f24c6b89e4ecdac24354b9e99caa3f6d3761402cd",
        n: "d7c134aa264366862a18302575d0fb98d116bc4b6ddebca3a5a7939f",
    },
    Curve {
        name: "brainpoolP256r1",
        // 1.3.36.3.3.2.8.1.1.7
        oid: &[0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x07],
        p: "a9fb57dba1eea9bc3e660a909d838d726e3bf623d52620282013481d1f6e5377",
        a: "7d5a0975fc2c3057eef67530417affe7fb8055c126dc5c6ce94a4b44f330b5d9",
        b: "26dc5c6ce94a4b44f330b5d9bbd77cbf958416295cf7e1ce6bccdc18ff8c07b6",
        x: "8bd2aeb9cb7e57cb2c4b482ffc81b7afb9de27e1e3bd23c23a4453bd9ace3262",
        y: "547ef835c3dac4fd97f8461a14611dc9c27745132ded8e545c1d54c72f046997",
        n: "a9fb57dba1eea9bc3e660a909d838d718c397aa3b561a6f7901e0e82974856a7",
    },
    Curve {
        name: "brainpoolP320r1",
        // 1.3.36.3.3.2.8.1.1.9
        oid: &[0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x09],
        p: "d35e472036bc4fb7e13c785ed201e065f98fcfa6f6f40def4f92b9ec7893ec28fcd412b1f1b32e27",
        a: "3ee30b568fbab0f883ccebd46d3f3bb8a2a73513f5eb79da66190eb085ffa9f492f375a97d860eb4",
        b: "520883949dfdbc42d3ad198640688a6fe13f41349554b49acc31dccd884539816f5eb4ac8fb1f1a6",
        x: "43bd7e9afb53d8b85289bcc48ee5bfe6f20137d10a087eb6e7871e2a10a599c710af8d0d39e20611",
        y: "14fdd05545ec1cc8ab4093247f77275e0743ffed117182eaa9c77877aaac6ac7d35245d1692e8ee1",
        n: "d35e472036bc4fb7e13c785ed201e065f98fcfa5b68f12a32d482ec7ee8658e98691555b44c59311",
    },
    Curve {
        name: "brainpoolP384r1",
        // 1.3.36.3.3.2.8.1.1.11
        oid: &[0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x0b],
        p: "8cb91e82a3386d280f5d6f7e50e641df152f7109ed5456b412b1da197fb71123acd3a729901d1a71\
             874700133107ec53",
        a: "7bc382c63d8c150c3c72080ace05afa0c2bea28e4fb22787139165efba91f90f8aa5814a503ad4eb\
             04a8c7dd22ce2826",
        b: "04a8c7dd22ce28268b39b55416f0447c2fb77de107dcd2a62e880ea53eeb62d57cb4390295dbc994\
             3ab78696fa504c11",
        x: "1d1c64f068cf45ffa2a63a81b7c13f6b8847a3e77ef14fe3db7fcafe0cbd10e8e826e03436d646aa\
             ef87b2e247d4af1e",
        y: "8abe1d7520f9c2a45cb1eb8e95cfd55262b70b29feec5864e19c054ff99129280e46462177918111\
             42820341263c5315",
        n: "8cb91e82a3386d280f5d6f7e50e641df152f7109ed5456b31f166e6cac0425a7cf3ab6af6b7fc310\
             3b883202e9046565",
    },
    Curve {
        name: "brainpoolP512r1",
        // 1.3.36.3.3.2.8.1.1.13
        oid: &[0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x0d],
        p: "aadd9db8dbe9c48b3fd4e6ae33c9fc07cb308db3b3c9d20ed6639cca703308717d4d9b009bc66842\
             aecda12ae6a380e62881ff2f2d82c68528aa6056583a48f3",
        a: "7830a3318b603b89e2327145ac234cc594cbdd8d3df91610a83441caea9863bc2ded5d5aa8253aa1\
             0a2ef1c98b9ac8b57f1117a72bf2c7b9e7c1ac4d77fc94ca",
        b: "3df91610a83441caea9863bc2ded5d5aa8253aa10a2ef1c98b9ac8b57f1117a72bf2c7b9e7c1ac4d\
             77fc94cadc083e67984050b75ebae5dd2809bd638016f723",
        x: "81aee4bdd82ed9645a21322e9c4c6a9385ed9f70b5d916c1b43b62eef4d0098eff3b1f78e2d0d48d\
             50d1687b93b97d5f7c6d5047406a5e688b352209bcb9f822",
        y: "7dde385d566332ecc0eabfa9cf7822fdf209f70024a57b1aa000c55b881f8111b2dcde494a5f485e\
             5bca4bd88a2763aed1ca2b2fa8f0540678cd1e0f3ad80892",
        n: "aadd9db8dbe9c48b3fd4e6ae33c9fc07cb308db3b3c9d20ed6639cca70330870553e5c414ca92619\
             418661197fac10471db1d381085ddaddb58796829ca90069",
    },
];

impl Curve {
    /// Length of a coordinate in bytes.
    pub(crate) fn length(&self) -> usize {
        self.p.len() / 2
    }

    /// The curve that the parameters of a key name or state.
    pub(crate) fn of(algorithm: &Algorithm<'_>) -> Parsed<&'static Curve> {
        let Some(stated) = algorithm.parameters else {
            return broken("a key names no curve");
        };
        let found = match stated.tag {
            OBJECT_IDENTIFIER => CURVES.iter().find(|curve| curve.oid == stated.content),
            SEQUENCE => {
                let stated = Stated::read(&stated)?;
                CURVES.iter().find(|curve| stated.is(curve))
            }
            _ => None,
        };
        match found {
            Some(curve) => Ok(curve),
            None => broken("the curve of a key is none that identity documents may use"),
        }
    }

    /// Whether a point satisfies the equation; `coordinates` are x and y, one after the other.
    pub(crate) fn has(&self, coordinates: &[u8]) -> bool {
        crate::ecdsa::Field::new(self.p).is_on(self, coordinates)
    }

    pub(crate) fn b(&self) -> &'static str {
        self.b
    }
}

/// SpecifiedECDomain of SEC 1, C.2.
struct Stated<'a> {
    p: &'a [u8],
    a: &'a [u8],
    b: &'a [u8],
    generator: &'a [u8],
    n: &'a [u8],
    cofactor: Option<u32>,
}

impl<'a> Stated<'a> {
    fn read(element: &Element<'a>) -> Parsed<Stated<'a>> {
        let mut inside = element.open();
        if !(1..=3).contains(&inside.expect(INTEGER, "the version of a curve")?.small()?) {
            return broken("the version of a curve is not 1 to 3");
        }
        let field = Algorithm::read(&mut inside)?;
        let p = match field.parameters {
            Some(prime) if field.oid == oid::PRIME_FIELD => prime.unsigned()?,
            _ => return broken("the field of a curve is not prime"),
        };
        let mut equation = inside.expect(SEQUENCE, "the equation of a curve")?.open();
        let [a, b] = [octets(&mut equation)?, octets(&mut equation)?];
        let generator = octets(&mut inside)?;
        let n = inside.expect(INTEGER, "the order of a curve")?.unsigned()?;
        let cofactor = inside.optional(INTEGER)?.map(|h| h.small()).transpose()?;
        Ok(Stated {
            p,
            a,
            b,
            generator,
            n,
            cofactor,
        })
    }

    fn is(&self, curve: &Curve) -> bool {
        let is = |stated: &[u8], number: &str| hex(stated, number.len() / 2) == number;
        let [form, generator @ ..] = self.generator else {
            return false;
        };
        let (x, y) = generator.split_at(generator.len().min(curve.length()));
        let generates = match form {
            4 => is(x, curve.x) && is(y, curve.y),
            2 | 3 => {
                let odd = curve
                    .y
                    .as_bytes()
                    .last()
                    .is_some_and(|d| b"13579bdf".contains(d));
                is(x, curve.x) && y.is_empty() && (*form == 3) == odd
            }
            _ => false,
        };
        generates
            && is(self.p, curve.p)
            && is(self.a, curve.a)
            && is(self.b, curve.b)
            && is(self.n, curve.n)
            && self.cofactor.is_none_or(|cofactor| cofactor == 1)
    }
}

fn octets<'a>(reader: &mut Reader<'a>) -> Parsed<&'a [u8]> {
    Ok(reader
        .expect(OCTET_STRING, "a coordinate of a curve")?
        .content)
}

/// `bytes` as hexadecimal digits of a number of `length` bytes; leading zeros do not count.
fn hex(bytes: &[u8], length: usize) -> String {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let digits: String = bytes[zeros..]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("{digits:0>width$}", width = 2 * length)
}

/// A number of the table as bytes, from the highest.
#[cfg(test)]
pub(crate) fn bytes(number: &str) -> Vec<u8> {
    (0..number.len() / 2)
        .map(|i| u8::from_str_radix(&number[2 * i..2 * i + 2], 16).expect("hexadecimal"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tlv::{encode, only};

    /// A curve as a key states it, with a change.
    fn stated(curve: &Curve, change: impl Fn(&str, Vec<u8>) -> Vec<u8>) -> Parsed<&'static Curve> {
        let number = |what: &str, number: &str| change(what, bytes(number));
        let integer =
            |what: &str, digits: &str| encode(INTEGER, &[vec![0], number(what, digits)].concat());
        let octets = |what: &str, digits: &str| encode(OCTET_STRING, &number(what, digits));
        let prime = encode(OBJECT_IDENTIFIER, oid::PRIME_FIELD);
        let generator = [vec![4], number("x", curve.x), number("y", curve.y)].concat();
        let parameters = [
            encode(INTEGER, &[1]),
            encode(SEQUENCE, &[prime, integer("p", curve.p)].concat()),
            encode(
                SEQUENCE,
                &[octets("a", curve.a), octets("b", curve.b)].concat(),
            ),
            encode(OCTET_STRING, &generator),
            integer("n", curve.n),
            encode(INTEGER, &[1]),
        ]
        .concat();
        let parameters = encode(SEQUENCE, &parameters);
        let parameters = Some(only(&parameters, SEQUENCE, "parameters").unwrap());
        Curve::of(&Algorithm {
            oid: oid::EC,
            parameters,
        })
    }

    #[test]
    fn stated_parameters_name_their_curve_and_invented_ones_none() {
        for curve in &CURVES {
            assert_eq!(stated(curve, |_, n| n).unwrap().name, curve.name);
            for part in ["p", "a", "b", "x", "y", "n"] {
                let changed = stated(curve, |what, mut number| {
                    if what == part {
                        *number.last_mut().unwrap() ^= 2;
                    }
                    number
                });
                assert!(changed.is_err(), "{}: {part}", curve.name);
            }
        }
    }

    #[test]
    fn each_generator_is_on_its_curve() {
        for curve in &CURVES {
            let mut point = [bytes(curve.x), bytes(curve.y)].concat();
            assert!(curve.has(&point), "{}", curve.name);
            point[7] ^= 1;
            assert!(!curve.has(&point), "{}", curve.name);
        }
    }
}
