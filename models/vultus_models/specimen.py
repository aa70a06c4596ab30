"""Draws a specimen identity card around a portrait, so that the document role has a document
without any person's papers.

The card has the proportions of ISO/IEC 7810 ID-1 and the machine-readable zone of ICAO Doc 9303
part 5 (TD1); the state is Utopia, the holder is made up. The same portrait gives the same pixels.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps, UnidentifiedImageError

from vultus_models.fault import Fault

_DPI = 300
_WIDTH_MM, _HEIGHT_MM = 85.60, 53.98
_PORTRAIT_MM = (4.0, 11.5, 21.0, 27.0)
"""Left, top, width and height: 35 to 45, as on passports."""
_PITCH_MM, _SPACING_MM = 2.54, 4.23
"""Ten characters and six lines an inch, as OCR-B of size 1 is printed."""
_OCR_B = Path(__file__).with_name("ocr-b.otf")
"""The characters of a zone, out of Debian's fonts-ocr-b: Norbert Schwarz's outlines, free to use,
change and pass on without limitation, made a font by Matthew Skala, who gave it to the public
domain."""
_ADVANCE = 0.602
"""Width of its characters in ems."""
_FINE = 3
"""The background is drawn this many times larger, then averaged."""

_PAPER = (246, 244, 236)
_INK = (28, 36, 52)
_LABEL = (96, 110, 128)
_WARNING = (176, 32, 44)


@dataclass(frozen=True)
class Holder:
    """A made-up person; dates are YYMMDD."""

    surname: str = "SPECIMEN"
    given_names: str = "ALEX"
    number: str = "UT0000017"
    birth: str = "750314"
    sex: str = "<"
    expiry: str = "360313"
    state: str = "UTO"


def check_digit(text: str) -> str:
    """Returns the check digit of ICAO Doc 9303 part 3: weights 7, 3, 1, modulo 10; digits count as
    they are, A is 10, `<` is 0.
    """
    values = (0 if char == "<" else int(char, 36) for char in text)
    return str(sum(value * (7, 3, 1)[i % 3] for i, value in enumerate(values)) % 10)


def machine_readable_zone(holder: Holder) -> tuple[str, str, str]:
    """Returns the three lines of 30 characters of a TD1 card."""
    number = holder.number.ljust(9, "<")
    first = f"I<{holder.state}{number}{check_digit(number)}".ljust(30, "<")
    birth, expiry = (
        holder.birth + check_digit(holder.birth),
        holder.expiry + check_digit(holder.expiry),
    )
    second = f"{birth}{holder.sex}{expiry}{holder.state}".ljust(29, "<")
    second += check_digit(first[5:30] + second[0:7] + second[8:15] + second[18:29])
    name = f"{holder.surname}<<{holder.given_names}".replace(" ", "<")[:30].ljust(30, "<")
    return first, second, name


def draw(portrait: Path, out: Path) -> None:
    """Writes the card as a PNG of 1011x638 pixels to `out`. The upper middle of `portrait` becomes
    the card's portrait.
    """
    try:
        with Image.open(portrait) as opened:
            photo = ImageOps.exif_transpose(opened).convert("RGB")
    except (OSError, UnidentifiedImageError) as error:
        raise Fault(f"{portrait} is no picture that can be read: {error}") from error
    card = _card(photo, Holder())
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(f".{out.name}.partial")
    card.save(partial, format="PNG", dpi=(_DPI, _DPI))
    partial.replace(out)


def _px(mm: float) -> int:
    return round(mm * _DPI / 25.4)


def _card(photo: Image.Image, holder: Holder) -> Image.Image:
    card = _background(_px(_WIDTH_MM), _px(_HEIGHT_MM))
    pen = ImageDraw.Draw(card)

    def write(x: float, y: float, text: str, height: float, colour: tuple[int, int, int]) -> None:
        pen.text((_px(x), _px(y)), text, fill=colour, font=ImageFont.load_default(_px(height)))

    write(4.0, 2.6, "UTOPIA", 4.2, _INK)
    write(4.0, 7.2, "IDENTITY CARD", 2.4, _LABEL)
    write(59.0, 3.0, "SPECIMEN", 4.6, _WARNING)

    left, top, width, height = map(_px, _PORTRAIT_MM)
    card.paste(
        ImageOps.fit(
            _head_and_shoulders(photo),
            (width, height),
            Image.Resampling.LANCZOS,
            centering=(0.5, 0.0),
        ),
        (left, top),
    )
    pen.rectangle((left - 1, top - 1, left + width, top + height), outline=_LABEL, width=2)

    fields = [
        ("Surname", holder.surname),
        ("Given names", holder.given_names),
        ("Nationality", "UTOPIAN"),
        ("Date of birth", _date(holder.birth, "19")),
        ("Date of expiry", _date(holder.expiry, "20")),
        ("Document number", holder.number),
    ]
    for row, (label, value) in enumerate(fields):
        write(29.0, 11.4 + 4.6 * row, label, 1.6, _LABEL)
        write(29.0, 13.0 + 4.6 * row, value, 2.6, _INK)

    font = ImageFont.truetype(str(_OCR_B), _px(_PITCH_MM / _ADVANCE))
    left = (_WIDTH_MM - 30 * _PITCH_MM) / 2
    for row, line in enumerate(machine_readable_zone(holder)):
        for column, char in enumerate(line):
            centre = (_px(left + (column + 0.5) * _PITCH_MM), _px(41.8 + _SPACING_MM * row))
            pen.text(centre, char, fill=_INK, font=font, anchor="mm")
    return card


def _head_and_shoulders(photo: Image.Image) -> Image.Image:
    """The upper middle of an upper-body portrait, three fifths of its width."""
    width = photo.width * 3 // 5
    height = min(photo.height, width * 45 // 35)
    left = (photo.width - width) // 2
    return photo.crop((left, 0, left + width, height))


def _date(yymmdd: str, century: str) -> str:
    return f"{yymmdd[4:]}.{yymmdd[2:4]}.{century}{yymmdd[:2]}"


def _background(width: int, height: int) -> Image.Image:
    """Guilloche: bundles of waves whose phase drifts from line to line, and a rosette."""
    large = Image.new("RGB", (width * _FINE, height * _FINE), _PAPER)
    pen = ImageDraw.Draw(large)
    x = np.linspace(0, 1, 400)
    for colour, waves, drift in (((196, 216, 214), 3, 0.22), ((224, 206, 214), 5, -0.17)):
        for line in range(46):
            base = (line - 2) / 42
            y = (
                base
                + 0.035 * np.sin(2 * np.pi * waves * x + drift * line)
                + 0.02 * np.sin(2 * np.pi * 11 * x - drift * line)
            )
            pen.line(
                list(zip(x * large.width, y * large.height, strict=True)), fill=colour, width=2
            )
    angle = np.linspace(0, 2 * np.pi, 900)
    for turn in range(24):
        radius = 0.19 + 0.09 * np.cos(9 * angle + turn * np.pi / 12)
        x, y = (
            large.width * 0.80 + radius * large.height * np.cos(angle),
            large.height * (0.42 + radius * np.sin(angle)),
        )
        pen.line(list(zip(x, y, strict=True)), fill=(206, 214, 190), width=2)
    return large.resize((width, height), Image.Resampling.BOX)
