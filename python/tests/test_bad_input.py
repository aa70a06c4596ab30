"""Every broken input has its own message, which says what was wrong and what is allowed."""

import copy
import io
import pickle
import shutil
import subprocess
import sys

import numpy as np
import pytest
import vultus
from PIL import Image


def encoded(picture, kind, **options):
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def refused(engine, picture, error, words, **options):
    with pytest.raises(error, match=words) as caught:
        engine.examine(picture, **options)
    assert not isinstance(caught.value, ValueError)
    assert str(caught.value).startswith("selfie: ") or error is vultus.UsageError


def test_empty_file(engine):
    refused(engine, b"", vultus.InputError, "the file is empty")


def test_text_named_jpg(engine, tmp_path):
    path = tmp_path / "face.jpg"
    path.write_text("this is not a picture\n")
    refused(engine, path, vultus.InputError, "it starts with plain text")


@pytest.mark.parametrize("share", [0.02, 0.5, 0.9, 0.999])
def test_truncated_jpeg(engine, selfie, share):
    whole = selfie.read_bytes()
    refused(engine, whole[: int(len(whole) * share)], vultus.InputError, "cut short")


def test_progressive_and_truncated_progressive(engine, selfie):
    whole = encoded(Image.open(selfie), "JPEG", progressive=True, quality=90)
    assert engine.examine(whole).face is not None
    refused(engine, whole[: len(whole) * 2 // 3], vultus.InputError, "cut short")


def test_cmyk_grey_16_bit_and_alpha(engine, selfie):
    picture = Image.open(selfie).convert("RGB").resize((400, 500))
    reference = engine.enrol(encoded(picture, "PNG")).template
    grey16 = Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 257)
    forms = {
        "cmyk": encoded(picture.convert("CMYK"), "JPEG", quality=95),
        "grey": encoded(picture.convert("L"), "PNG"),
        "grey jpeg": encoded(picture.convert("L"), "JPEG", quality=95),
        "16 bit": encoded(grey16, "PNG"),
        "alpha": encoded(picture.convert("RGBA"), "PNG"),
        "palette": encoded(picture.convert("P", palette=Image.Palette.ADAPTIVE), "PNG"),
        "webp": encoded(picture, "WEBP", quality=95),
    }
    for name, form in forms.items():
        template = engine.enrol(form).template
        assert template is not None, name
        assert engine.compare(template, reference, fmr=1e-4).is_match, name


@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_eight_exif_orientations(engine, selfie, card, orientation):
    undo = {
        2: [Image.Transpose.FLIP_LEFT_RIGHT],
        3: [Image.Transpose.ROTATE_180],
        4: [Image.Transpose.FLIP_TOP_BOTTOM],
        5: [Image.Transpose.TRANSPOSE],
        6: [Image.Transpose.ROTATE_90],
        7: [Image.Transpose.TRANSVERSE],
        8: [Image.Transpose.ROTATE_270],
    }
    upright = Image.open(selfie).convert("RGB")
    stored = upright
    for step in undo.get(orientation, []):
        stored = stored.transpose(step)
    exif = Image.Exif()
    exif[0x0112] = orientation
    plain = engine.verify(encoded(upright, "PNG"), card)
    turned = engine.verify(encoded(stored, "PNG", exif=exif), card)
    assert turned.to_json() == plain.to_json()
    jpeg = engine.verify(encoded(stored, "JPEG", quality=97, subsampling=0, exif=exif), card)
    assert jpeg.outcome == plain.outcome == "accept"


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_animation(engine, kind):
    frames = [Image.new("RGB", (64, 64), (shade, 0, 0)) for shade in (10, 200)]
    refused(
        engine,
        encoded(frames[0], kind, save_all=True, append_images=frames[1:]),
        vultus.UnsupportedError,
        "pass one frame",
    )


def test_gif_is_named(engine):
    refused(engine, encoded(Image.new("P", (8, 8)), "GIF"), vultus.UnsupportedError, "GIF")


def test_files_are_pictures(engine, selfie, card):
    with open(selfie, "rb") as file:
        assert engine.verify(file, io.BytesIO(card.read_bytes())).outcome == "accept"
    refused(engine, file, vultus.InputError, "the file is closed")
    refused(engine, io.StringIO("x"), vultus.InputError, "binary mode")


def test_what_may_be_the_picture_is_not_told(engine):
    for text, words in (("data:image/png;base64,iVBO", "no path"), ("a\0.jpg", "a NUL")):
        refused(engine, text, vultus.InputError, words)
    with pytest.raises(vultus.InputError) as caught:
        engine.examine("/9j/" * 50_000)
    assert len(str(caught.value)) < 200


def test_no_colour_order(engine):
    refused(engine, np.zeros((9, 9, 3), np.uint8), vultus.UsageError, "pass colour=")


def test_unknown_colour_order(engine):
    refused(
        engine, np.zeros((9, 9, 3), np.uint8), vultus.UsageError, "allowed are rgb", colour="yuv"
    )


def test_nan_in_a_float_array(engine):
    refused(
        engine,
        np.full((9, 9, 3), np.nan),
        vultus.InputError,
        "float64 and holds NaN; only uint8",
        colour="rgb",
    )


@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.uint16, bool])
def test_wrong_dtype(engine, dtype):
    refused(
        engine,
        np.zeros((9, 9, 3), dtype),
        vultus.InputError,
        f"{np.dtype(dtype)}.*only uint8",
        colour="rgb",
    )


@pytest.mark.parametrize("shape", [(9, 9), (9, 9, 4), (9,), (2, 9, 9, 3)])
def test_wrong_shape(engine, shape):
    refused(
        engine,
        np.zeros(shape, np.uint8),
        vultus.InputError,
        r"rgb needs \(height, width, 3\)",
        colour="rgb",
    )


def test_empty_array(engine):
    refused(
        engine,
        np.zeros((0, 9, 3), np.uint8),
        vultus.InputError,
        "each side must be at least 1",
        colour="rgb",
    )


def test_no_picture_at_all(engine):
    refused(engine, 42, vultus.UsageError, "a int is no picture")


def test_unknown_role(engine, selfie):
    with pytest.raises(vultus.UsageError, match='allowed are "selfie" and "document"'):
        engine.examine(selfie, role="passport")


def test_unsupported_operating_point(engine, selfie, card):
    with pytest.raises(vultus.UsageError, match="not supported by the calibration"):
        engine.verify(selfie, card, fmr=1e-9)


def test_zero_is_not_the_default(engine, selfie, card):
    with pytest.raises(vultus.UsageError, match="fmr must be a number above 0 and below 1"):
        engine.verify(selfie, card, fmr=0)


def test_unknown_policy(engine, selfie, card):
    with pytest.raises(vultus.UsageError, match="unknown key, allowed are comparator"):
        engine.verify(selfie, card, policy={"strictness": 9})


def test_missing_pack(tmp_path):
    with pytest.raises(vultus.ModelError, match="no such folder"):
        vultus.Engine(tmp_path / "gone")


def test_one_flipped_byte_in_a_pack(tmp_path):
    pack = tmp_path / "pack"
    shutil.copytree(vultus.DEFAULT_PACK, pack)
    weight = sorted(pack.glob("*.onnx"))[0]
    data = bytearray(weight.read_bytes())
    data[len(data) // 2] ^= 1
    weight.write_bytes(data)
    with pytest.raises(
        vultus.ModelError, match=f"{weight.name} was changed after the pack was built"
    ):
        vultus.Engine(pack)


@pytest.mark.parametrize(
    "arguments",
    [["verify", "{selfie}"], ["verify", "{selfie}", "{card}", "--fmr", "low"], ["bogus"]],
)
def test_a_usage_error_has_no_status_of_an_answer(selfie, card, arguments):
    given = [argument.format(selfie=selfie, card=card) for argument in arguments]
    result = subprocess.run([sys.executable, "-m", "vultus", *given], capture_output=True)
    assert result.returncode == 3


def test_an_answer_on_a_full_disk_is_a_fault(selfie, card):
    with open("/dev/full", "wb") as full:
        arguments = [sys.executable, "-m", "vultus", "verify", selfie, card]
        assert subprocess.run(arguments, stdout=full, stderr=subprocess.PIPE).returncode == 3


def test_pil_images_fail_as_files_do(engine, selfie, photos):
    from PIL import Image

    with open(selfie, "rb") as file:
        closed = Image.open(file)
    whole = selfie.read_bytes()
    cut = Image.open(io.BytesIO(whole[: len(whole) // 2]))
    for picture in (closed, cut):
        with pytest.raises(vultus.InputError, match="selfie: the PIL image cannot be read"):
            engine.verify(picture, photos / "biden.jpg")


@pytest.mark.parametrize("mode", ["LA", "La", "RGBA", "RGBa", "P", "I;16"])
def test_a_pil_image_gives_the_answer_of_its_file(engine, photos, mode):
    from PIL import Image

    portrait = Image.open(photos / "obama2.jpg").convert("RGB").resize((360, 480))
    if mode == "I;16":
        grey = portrait.convert("L")
        picture = Image.new("I;16", grey.size)
        picture.putdata([level * 257 for level in grey.tobytes()])
        saved = picture
    else:
        whole = portrait.convert("RGBA")
        whole.putalpha(Image.linear_gradient("L").resize(whole.size))
        if mode == "P":
            saved = picture = portrait.quantize(64)
        else:
            saved = whole.convert("LA") if mode in ("LA", "La") else whole
            picture = saved.convert(mode)
            if mode in ("La", "RGBa"):
                saved = picture = picture.convert("RGBA") if mode == "RGBa" else saved
    buffer = io.BytesIO()
    saved.save(buffer, "PNG")
    by_file = engine.examine(buffer.getvalue())
    by_image = engine.examine(picture)
    assert by_image.to_dict() == by_file.to_dict()


def test_decisions_are_hashable(engine, selfie, photos):
    one, other = (engine.verify(selfie, photos / "biden.jpg") for _ in range(2))
    assert one == other and len({one, other}) == 1


def test_a_pack_is_pinned_by_its_id(engine, selfie):
    own = engine.verify(selfie, selfie).to_dict()["engine"]["pack_id"]
    assert vultus.Engine(expected_pack=own).examine(selfie).face
    with pytest.raises(vultus.ModelError, match="not the expected one"):
        vultus.Engine(expected_pack="0" * 64)


@pytest.mark.parametrize("accepted", [["foo"], ["sface", "MIT"], list("MIT")])
def test_a_licence_of_no_weight_cannot_be_accepted(accepted):
    with pytest.raises(vultus.UsageError, match="accepted_licences: entry .* holds blazeface"):
        vultus.Engine(accepted_licences=accepted)


def test_results_go_between_processes(engine, selfie, card):
    enrolment = engine.enrol(card, role="document")
    decision = engine.verify(selfie, card)
    for copied in (pickle.loads(pickle.dumps(enrolment)), copy.deepcopy(enrolment)):
        assert copied == enrolment and copied.template == enrolment.template
        assert hash(copied.template) == hash(enrolment.template)
        assert (copied.template.role, copied.template.quality) == (
            enrolment.template.role,
            enrolment.template.quality,
        )
        assert engine.verify(selfie, copied.template).comparison == decision.comparison
    assert pickle.loads(pickle.dumps(decision)) == decision
    assert engine.enrol(card, role="document").template == enrolment.template
    assert engine.enrol(selfie).template != enrolment.template
    read = engine.read_template(bytes(enrolment.template))
    assert read == enrolment.template
    broken = pickle.dumps(enrolment.template).replace(bytes(enrolment.template)[40:44], b"????")
    with pytest.raises(vultus.VultusError, match="reference: "):
        engine.verify(selfie, pickle.loads(broken))
