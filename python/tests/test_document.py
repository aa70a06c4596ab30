"""Zones that are drawn in OCR-B, whose font .ci/setup installs, and pictures that show none."""

import json
import pathlib

import numpy as np
import pytest
import vultus
from PIL import Image, ImageDraw, ImageFont

FONT = pathlib.Path("/usr/share/fonts/opentype/ocr-b/OCRB.otf")
PASSPORT = (
    "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
    "L898902C36UTO7408122F1204159ZE184226B<<<<<10",
)
CARD = (
    "I<UTOD231458907<<<<<<<<<<<<<<<",
    "7408122F1204159UTO<<<<<<<<<<<6",
    "ERIKSSON<<ANNA<MARIA<<<<<<<<<<",
)
VISA = (
    "V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<",
    "L8988901C4XXX4009078F9612109<<<<<<<<",
)
"""The examples of Doc 9303-4, -5 and -7."""


def drawn(lines, size=34, margin=60, above=500):
    """A page with the zone at its foot."""
    assert FONT.is_file(), "run `make setup` first"
    font = ImageFont.truetype(str(FONT), size)
    pitch, spacing = 0.602 * size, 1.7 * size
    width = int(pitch * len(lines[0]) + 2 * margin)
    page = Image.new("RGB", (width, above + int(spacing * len(lines)) + margin), (232, 230, 222))
    pen = ImageDraw.Draw(page)
    pen.rectangle((40, 60, 300, 400), fill=(150, 130, 120))
    for row, line in enumerate(lines):
        for column, char in enumerate(line):
            centre = (margin + (column + 0.5) * pitch, above + (row + 0.5) * spacing)
            pen.text(centre, char, (30, 30, 40), font, anchor="mm")
    return page


@pytest.mark.parametrize(
    ("lines", "shape"), [(PASSPORT, "TD3"), (CARD, "TD1"), (VISA, "MRV-B")], ids=["td3", "td1", "v"]
)
@pytest.mark.parametrize("angle", [0, 90, 180, 270, 4])
def test_a_zone_is_read_any_way_up(engine, lines, shape, angle):
    page = drawn(lines).rotate(angle, Image.Resampling.BICUBIC, expand=True, fillcolor="gray")
    found = engine.read_document(page)
    assert found.format == shape and found.personal["lines"] == list(lines), found
    # Turned by a few degrees, a character of a name may be in doubt.
    assert found.level == "read" or (angle == 4 and "in doubt" in found.text), found
    assert "fails" not in found.checks.values()
    assert all(0 <= x <= page.width and 0 <= y <= page.height for x, y in found.place)


def test_what_is_read_is_told_when_it_is_asked_for(engine):
    found = engine.read_document(drawn(PASSPORT))
    assert found.personal == {
        "lines": list(PASSPORT),
        "document_code": "P",
        "issuer": "UTO",
        "number": "L898902C3",
        "nationality": "UTO",
        "family_name": "ERIKSSON",
        "given_names": "ANNA MARIA",
        "sex": "F",
        "birth_date": "1974-08-12",
        "expiry_date": "2012-04-15",
        "optional": "ZE184226B",
    }
    for shown in (repr(found), str(found), found.to_json(), json.dumps(found.to_dict())):
        assert "ERIKSSON" not in shown and "898902" not in shown and "740812" not in shown
    assert json.loads(found.to_json(personal=True))["personal"]["family_name"] == "ERIKSSON"
    assert {field.name for field in found.fields} >= {"name", "number", "birth-date"}
    assert all(field.margin > 1.5 for field in found.fields)


def test_a_zone_whose_digits_fail_is_not_read(engine):
    forged = (PASSPORT[0], PASSPORT[1].replace("7408122", "7508122"))
    found = engine.read_document(drawn(forged))
    assert (found.level, found.seen) == (None, "mrz-unclear"), found
    assert found.checks["birth-date"] == "fails" or "in doubt" in found.text


def test_a_zone_that_is_cut_off_is_not_read(engine):
    page = drawn(PASSPORT)
    for box in (
        (0, 0, page.width - 250, page.height),
        (250, 0, page.width, page.height),
        (0, 0, page.width, page.height - 110),
    ):
        found = engine.read_document(page.crop(box))
        assert found.level is None, (box, found, found.personal)


def text_page():
    page = Image.new("RGB", (900, 1200), "white")
    pen = ImageDraw.Draw(page)
    for row in range(40):
        words = "The quick brown fox jumps over the lazy dog and is not a passport"[row % 7 :]
        pen.text((40, 40 + 28 * row), words, "black", ImageFont.load_default(22))
    return page


def payment_card():
    card = Image.new("RGB", (1011, 638), (30, 50, 110))
    pen = ImageDraw.Draw(card)
    font = ImageFont.truetype(str(FONT), 54)
    pen.text((60, 320), "5412 7512 3412 3456", (230, 230, 230), font)
    pen.text((60, 480), "ANNA ERIKSSON   12/29", (230, 230, 230), font)
    return card


def test_what_is_no_document_is_never_read(engine, photos, selfie):
    noise = np.random.default_rng(1).integers(0, 256, (480, 640, 3), np.uint8)
    portrait = Image.open(photos / "specimen-obama.png").crop((40, 130, 310, 460))
    pictures = [selfie, portrait, text_page(), payment_card(), np.zeros((9, 9, 3), np.uint8), noise]
    for picture in pictures:
        found = engine.read_document(picture, colour="rgb")
        assert found.level is None and found.personal == {}, found
        assert found.seen == "no-mrz"


def test_a_policy_demands_a_document(engine, selfie, card):
    def codes(reference, **rules):
        decision = engine.verify(selfie, reference, policy={"document": rules})
        return decision.outcome, {reason.code for reason in decision.reasons}

    # Nothing is asked: it is a reference picture, and nothing is said of a document.
    assert not any(code.startswith("document-") for code in codes(card)[1])
    for reference in (selfie, Image.open(card).crop((40, 130, 310, 460))):
        outcome, found = codes(reference, require="read")
        assert outcome != "accept" and "document-not-read" in found
    # The portrait on a page whose zone is beyond doubt.
    page = drawn(CARD, above=760)
    page.paste(Image.open(card).crop((40, 130, 310, 460)).resize((540, 660)), (30, 40))
    outcome, found = codes(page, require="read")
    assert "document-read" in found and "match" in found, (outcome, found)
    outcome, found = codes(page, unexpired=True, today="2026-12-01")
    assert outcome != "accept" and "document-expired" in found
    assert "document-not-signed" in codes(page, require="signed")[1]
    assert "document-holder" in codes(page, holder={"family_name": "Eriksson"})[1]
    assert "document-holder-differs" in codes(page, holder={"family_name": "Smith"})[1]


def test_the_specimen_card_is_read(engine, card):
    found = engine.read_document(card)
    assert found.level == "read", found
    assert (found.personal["family_name"], found.personal["given_names"]) == ("SPECIMEN", "ALEX")
    assert found.personal["birth_date"] == "1975-03-14" and found.format == "TD1"


def test_a_pack_without_a_reader_says_so(tmp_path, card, selfie):
    import shutil

    folder = tmp_path / "pack"
    shutil.copytree(vultus.DEFAULT_PACK, folder)
    table = json.loads((folder / "pack.json").read_text())
    table["models"] = [m for m in table["models"] if m["task"] != "document"]
    (folder / "pack.json").write_text(json.dumps(table))
    engine = vultus.Engine(folder)
    with pytest.raises(vultus.UnsupportedError, match="holds no weights"):
        engine.read_document(card)
    decision = engine.verify(selfie, card, policy={"document": {"require": "read"}})
    assert "document-not-read" in {reason.code for reason in decision.reasons}


def test_the_command_reads_a_document(tmp_path, capsys):
    from vultus.__main__ import main

    path, seen = tmp_path / "passport.png", tmp_path / "seen.png"
    drawn(PASSPORT).save(path)
    assert main(["document", str(path), "--annotate", str(seen)]) == 0
    told = capsys.readouterr().out
    assert "ERIKSSON" in told and "1974-08-12" in told and "read:" in told
    assert Image.open(seen).width >= Image.open(path).width // 2
    assert main(["document", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["personal"]["number"] == "L898902C3"
    text_page().save(path)
    assert main(["document", str(path)]) == 2
    assert "machine-readable zone" in capsys.readouterr().out
    assert main(["document", str(tmp_path / "nothing.png")]) == 3
