import pytest
from PIL import Image
from vultus_models.fault import Fault
from vultus_models.specimen import Holder, check_digit, draw, machine_readable_zone


@pytest.mark.parametrize(
    ("text", "digit"), [("520727", "3"), ("AB2134<<<", "5"), ("D23145890", "7"), ("740812", "2")]
)
def test_check_digits_of_icao_9303(text, digit):
    assert check_digit(text) == digit


def test_the_zone_is_that_of_the_specimen_in_icao_9303_part_5():
    anna = Holder(
        surname="ERIKSSON",
        given_names="ANNA MARIA",
        number="D23145890",
        birth="740812",
        sex="F",
        expiry="120415",
    )
    assert machine_readable_zone(anna) == (
        "I<UTOD231458907<<<<<<<<<<<<<<<",
        "7408122F1204159UTO<<<<<<<<<<<6",
        "ERIKSSON<<ANNA<MARIA<<<<<<<<<<",
    )


def test_the_card_is_always_the_same_and_shows_the_portrait(photo, tmp_path):
    draw(photo, tmp_path / "a" / "card.png")
    draw(photo, tmp_path / "b.png")
    assert (tmp_path / "a" / "card.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["card.png"]
    with Image.open(tmp_path / "b.png") as card:
        assert card.size == (1011, 638)
        assert abs(card.width / card.height - 85.60 / 53.98) < 0.002
        with Image.open(photo) as portrait:
            portrait_mean = portrait.convert("L").resize((1, 1)).getpixel((0, 0))
        drawn = card.convert("L").crop((60, 150, 280, 440)).resize((1, 1)).getpixel((0, 0))
        assert abs(drawn - portrait_mean) < 40 and drawn < 200


def test_a_portrait_that_is_no_picture_is_refused(tmp_path):
    (tmp_path / "x.jpg").write_text("no picture")
    with pytest.raises(Fault, match=r"x.jpg is no picture that can be read"):
        draw(tmp_path / "x.jpg", tmp_path / "card.png")
    with pytest.raises(Fault, match=r"gone.jpg is no picture that can be read"):
        draw(tmp_path / "gone.jpg", tmp_path / "card.png")
