"""Made-up machine-readable zones of ICAO Doc 9303, with right check digits, and other lines for
balance."""

from __future__ import annotations

import random

ALPHABET = "<0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""The characters in the order of the cell network's classes; the class after them is "no
centre"."""
LETTERS, DIGITS = ALPHABET[11:], ALPHABET[1:11]


def check_digit(text: str) -> str:
    """Returns the check digit of Doc 9303 part 3, 4.9: weights 7, 3, 1, modulo 10."""
    values = (0 if c == "<" else int(c, 36) for c in text)
    return str(sum(value * (7, 3, 1)[i % 3] for i, value in enumerate(values)) % 10)


def fill(text: str, length: int) -> str:
    return text[:length].ljust(length, "<")


def word(r: random.Random, least: int = 2, most: int = 10) -> str:
    return "".join(r.choices(LETTERS, k=r.randint(least, most)))


def date(r: random.Random) -> str:
    return f"{r.randrange(100):02}{r.randint(1, 12):02}{r.randint(1, 28):02}"


def name(r: random.Random) -> str:
    family, given = ("<".join(word(r) for _ in range(r.randint(1, most))) for most in (2, 3))
    return f"{family}<<{given}"


def number(r: random.Random) -> str:
    kind = r.random()
    if kind < 0.4:
        text = r.choice(LETTERS) * r.randint(0, 2) + "".join(r.choices(DIGITS, k=r.randint(6, 9)))
    elif kind < 0.8:
        text = "".join(r.choices(LETTERS + DIGITS, k=9))
    else:
        text = "".join(r.choices(DIGITS, k=9))
    return fill(text, 9)


def optional(r: random.Random, length: int) -> str:
    chars = LETTERS + DIGITS if r.random() < 0.3 else DIGITS
    return fill("".join(r.choices(chars, k=r.choice([0, 0, r.randint(1, length)]))), length)


def zone(r: random.Random) -> list[str]:
    """Returns the lines of a zone: two of 44, two of 36 or three of 30."""
    kind, state = r.random(), word(r, 3, 3)
    digit = check_digit
    numbered = (n := number(r)) + digit(n)
    birth = (b := date(r)) + digit(b)
    expiry = (e := date(r)) + digit(e)
    sex = r.choice("MF<")
    if kind < 0.4:
        extra = (o := optional(r, 14)) + digit(o)
        second = numbered + state + birth + sex + expiry + extra
        second += digit(numbered + birth + expiry + extra)
        return [fill(r.choice(["P<", "PO", "PA", "PD", "V<"]) + state + name(r), 44), second]
    if kind < 0.6:
        extra = optional(r, 7)
        second = numbered + state + birth + sex + expiry + extra
        second += digit(numbered + birth + expiry + extra)
        return [fill(r.choice(["I<", "ID", "A<", "C<", "V<"]) + state + name(r), 36), second]
    one, two = optional(r, 15), optional(r, 11)
    return [
        fill(r.choice(["I<", "ID", "A<", "C<", "AC"]) + state + numbered + one, 30),
        birth + sex + expiry + state + two + digit(numbered + one + birth + expiry + two),
        fill(name(r), 30),
    ]


def noise(r: random.Random, length: int) -> str:
    """A line of any characters, so that no class is rare and none is learnt from its place."""
    return "".join(r.choices(ALPHABET, k=length))
