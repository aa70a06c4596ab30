"""What a caller sees: outcomes, inputs in every form, frozen results."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import vultus
from PIL import Image, ImageDraw, ImageOps


def test_the_one_call(selfie, card, photos):
    accepted = vultus.verify(selfie, card, fmr=1e-3)
    assert accepted.outcome == "accept"
    assert accepted.comparison.operating_point.fmr == 1e-3
    assert accepted.comparison.score >= accepted.comparison.operating_point.threshold
    rejected = vultus.verify(photos / "biden.jpg", card)
    assert rejected.outcome == "reject"
    assert rejected.reasons[0].code == "non-match"


def test_pad_explains_itself(engine, selfie):
    pads = [
        engine.examine(pixels.copy(), colour="rgb").pad
        for pixels in (engine_pixels(selfie), engine_pixels(selfie)[:, ::-1])
    ]
    assert all(pad.frames == 1 for pad in pads)
    views = [(view.network, view.context) for view in pads[0].views]
    assert views == [("minifasnet-v2", 2), ("minifasnet-v2", 2.7), ("minifasnet-v1se", 4)]
    # The score is the logistic of the views' mean less the threshold, the same for every picture.
    thresholds = [
        np.mean([view.log_odds for view in pad.views]) - np.log(pad.score / (1 - pad.score))
        for pad in pads
    ]
    assert abs(thresholds[0] - thresholds[1]) < 1e-3


def test_a_tight_crop_is_not_assessable(engine, selfie):
    pixels = engine_pixels(selfie)
    face = engine.examine(selfie).face.bounds
    x, y, side = int(face.x), int(face.y), int(max(face.width, face.height) * 1.05)
    pad = engine.examine(pixels[y : y + side, x : x + side].copy(), colour="rgb").pad
    assert (pad.assessed, pad.reason) == ("not-possible", "too-little-around")
    assert (pad.status, pad.score, pad.views) == (None, None, ())


def test_what_no_camera_took_is_not_assessable(engine, photos):
    portrait = Image.open(photos / "obama.jpg").convert("RGB")
    drawn = Image.new("RGB", (640, 480), (120, 170, 220))
    pen = ImageDraw.Draw(drawn)
    pen.ellipse((220, 90, 420, 370), (240, 200, 170), (60, 30, 20), 3)
    pen.pieslice((210, 70, 430, 300), 180, 360, (80, 50, 30))
    for x in (280, 360):
        pen.ellipse((x - 20, 200, x + 20, 225), (255, 255, 255), (30, 20, 20), 2)
        pen.ellipse((x - 9, 203, x + 9, 221), (50, 90, 60))
        pen.arc((x - 25, 170, x + 25, 200), 200, 340, (60, 30, 20), 5)
    pen.line((320, 215, 310, 270, 325, 275), (190, 140, 110), 4)
    pen.arc((280, 270, 360, 325), 20, 160, (180, 60, 60), 8)
    for picture, why in (
        (portrait.convert("L").convert("RGB"), "colourless"),
        (ImageOps.colorize(portrait.convert("L"), "black", "wheat"), "colourless"),
        (ImageOps.posterize(portrait, 3), "posterised"),
        (portrait.quantize(16).convert("RGB"), "posterised"),
        (drawn, "flat-areas"),
    ):
        pad = engine.examine(picture).pad
        assert (pad.assessed, pad.status, pad.score) == ("not-possible", None, None), pad
        assert pad.reason in (why, "flat-areas"), pad.reason


def test_every_form_of_a_picture_gives_the_same_decision(engine, selfie, card):
    pixels = engine_pixels(selfie)
    forms = {
        "path": (selfie, None),
        "str": (str(selfie), None),
        "bytes": (selfie.read_bytes(), None),
        "rgb": (pixels, "rgb"),
    }
    forms["bgr view"] = (pixels[:, :, ::-1], "bgr")
    scores = {
        name: engine.verify(form, card, colour=colour).comparison.score
        for name, (form, colour) in forms.items()
    }
    assert len(set(scores.values())) == 1, scores
    # PIL decodes JPEG with another inverse transform, so its pixels differ by a step here and
    # there.
    assert abs(engine.verify(Image.open(selfie), card).comparison.score - scores["path"]) < 0.01


def engine_pixels(path):
    image = vultus._vultus.Image.decode(path.read_bytes())
    return np.frombuffer(image.rgb(), np.uint8).reshape(image.height, image.width, 3)


def test_a_read_only_or_strided_array_is_read_correctly(engine, card, selfie):
    pixels = engine_pixels(selfie)
    assert not pixels.flags.writeable
    wide = np.zeros((pixels.shape[0], pixels.shape[1] * 2, 3), np.uint8)
    wide[:, ::2] = pixels
    strided = wide[:, ::2]
    assert not strided.flags.c_contiguous
    assert (
        engine.examine(strided, colour="rgb").to_dict()
        == engine.examine(pixels, colour="rgb").to_dict()
    )


def test_results_are_frozen_readable_and_serialisable(engine, selfie, card):
    decision = engine.verify(selfie, card)
    with pytest.raises(dataclasses.FrozenInstanceError):
        decision.outcome = "accept"
    with pytest.raises(TypeError, match="three outcomes"):
        bool(decision)
    assert json.loads(decision.to_json()) == decision.to_dict()
    assert "ACCEPT" in str(decision) and "outcome='accept'" in repr(decision)
    assert len(decision.selfie.face.landmarks) == 468
    assert "landmarks" not in decision.to_json()
    assert 0 <= decision.selfie.quality["sharpness"].score <= 100
    assert decision.document.pad.assessed == "not-asked"
    with pytest.raises(KeyError, match="sharpness"):
        decision.selfie.quality["typo"]
    assert decision.sequence.risk is None


def test_templates(engine, selfie, photos, card):
    enrolment = engine.enrol(photos / "obama.jpg", role="document")
    stored = bytes(enrolment.template)
    assert str(stored[20:40]) not in repr(enrolment.template)
    assert engine.verify(selfie, engine.read_template(stored)).outcome == "accept"
    probe = engine.enrol(selfie).template
    assert engine.compare(probe, enrolment.template).is_match
    with pytest.raises(vultus.InputError, match="damaged"):
        engine.read_template(stored[:-1] + bytes([stored[-1] ^ 1]))
    with pytest.raises(vultus.InputError, match="no template"):
        engine.read_template(b"hello")


def test_a_gallery_finds_who_it_is(engine, selfie, photos):
    biden, obama = (
        engine.enrol(photos / name, role="document").template for name in ("biden.jpg", "obama.jpg")
    )
    probe = engine.enrol(selfie).template
    gallery = engine.gallery()
    gallery.insert(7, biden)
    gallery.insert(2**64 - 1, obama)
    assert len(gallery) == 2 and repr(gallery) == "Gallery(2 references)"
    best, other = gallery.search(probe)
    assert (best.id, other.id) == (2**64 - 1, 7)
    assert [best.score, other.score] == pytest.approx(
        [engine.compare(probe, reference).score for reference in (obama, biden)], rel=1e-6
    )
    point = engine.gallery_threshold(len(gallery), 1e-3)
    assert best.score >= point.threshold > other.score and point.fmr == pytest.approx(
        1e-3 / 2, rel=1e-3
    )
    assert gallery.search(probe, most=1) == [best] and gallery.search(probe, most=0) == []
    with pytest.raises(vultus.UsageError, match="id 7 already"):
        gallery.insert(7, obama)
    with pytest.raises(OverflowError):
        gallery.insert(-1, obama)
    with pytest.raises(vultus.UsageError):
        engine.gallery_threshold(10**9, 1e-6)
    assert gallery.remove(7) and not gallery.remove(7) and len(gallery) == 1


def test_eight_threads_on_one_engine(engine, selfie, card):
    alone = engine.verify(selfie, card).to_json()
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: engine.verify(selfie, card).to_json(), range(16))) == {alone}


def test_a_call_spread_over_a_pool_gives_the_same_answer(engine, selfie, card):
    assert (
        vultus.Engine(parallel=True).verify(selfie, card).to_json()
        == engine.verify(selfie, card).to_json()
    )


def resident_kib():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024


def test_two_thousand_calls_do_not_grow_memory(engine, photos):
    selfie, document = (
        np.asarray(Image.open(photos / name).convert("RGB").resize((250, 250)))
        for name in ("obama2.jpg", "obama.jpg")
    )

    def verify(_):
        return engine.verify(
            selfie, document, colour="rgb", policy={"comparator": "single"}
        ).outcome

    with ThreadPoolExecutor(2) as pool:
        assert len(set(pool.map(verify, range(200)))) == 1
        before = resident_kib()
        assert len(set(pool.map(verify, range(2000)))) == 1
        assert resident_kib() - before < 4096


def test_import_is_quick_and_reads_no_model():
    code = (
        "import sys, time; t = time.perf_counter(); import vultus; print(time.perf_counter() - t,"
        " 'numpy' in sys.modules, vultus._default)"
    )
    best = min(
        float(subprocess.check_output([sys.executable, "-c", code], text=True).split()[0])
        for _ in range(5)
    )
    assert best < 0.2
    assert subprocess.check_output([sys.executable, "-c", code], text=True).split()[1:] == [
        "False",
        "None",
    ]


def test_the_interpreter_runs_on_while_the_engine_works(engine, selfie, card):
    with ThreadPoolExecutor(1) as pool:
        work = pool.submit(lambda: [engine.verify(selfie, card) for _ in range(3)])
        turns = 0
        while not work.done():
            turns += 1
            time.sleep(0.001)
    assert turns > 5


def test_annotation_is_a_picture(engine, selfie, card):
    png = engine.annotate(engine.verify(selfie, card), selfie, card)
    assert Image.open(__import__("io").BytesIO(png)).size[0] > 480


@pytest.mark.parametrize(
    ("probe", "status", "words"),
    [
        ("obama2.jpg", 0, "ACCEPT"),
        ("biden.jpg", 1, "REJECT"),
        ("blank.png", 2, "INCONCLUSIVE"),
        ("gone.jpg", 3, ""),
    ],
)
def test_exit_codes(probe, status, words, photos, card, tmp_path):
    path = photos / probe
    if probe == "blank.png":
        path = tmp_path / probe
        Image.new("RGB", (320, 240), (90, 90, 90)).save(path)
    done = subprocess.run(
        [sys.executable, "-m", "vultus", "verify", path, card], capture_output=True, text=True
    )
    assert (done.returncode, words in done.stdout) == (status, True)
    if status == 3:
        assert "gone.jpg cannot be read: No such file or directory" in done.stderr


def test_json_for_machines_and_annotation_from_the_command_line(selfie, card, tmp_path):
    png = tmp_path / "out.png"
    out = subprocess.check_output(
        [sys.executable, "-m", "vultus", "verify", selfie, card, "--json", "--annotate", png],
        text=True,
    )
    assert json.loads(out)["outcome"] == "accept"
    assert png.read_bytes().startswith(b"\x89PNG")


def test_a_reader_that_leaves_early_ends_the_program_quietly(selfie, card):
    read, write = os.pipe()
    os.close(read)
    run = subprocess.run(
        [sys.executable, "-m", "vultus", "verify", selfie, card],
        stdout=write,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(write)
    assert (run.returncode, run.stderr) == (-signal.SIGPIPE, b"")
