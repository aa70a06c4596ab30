"""The attack simulator: deterministic by seed, shape and type kept, settings checked, outputs
marked.
"""

import dataclasses
import json
import pathlib
import sys

import numpy as np
import pytest
from PIL import Image

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "py_src" / "vultus"))

import attack  # noqa: E402
from attack import cli, clips, scene  # noqa: E402


@pytest.fixture
def picture() -> np.ndarray:
    """A drawn face-like pattern: an ellipse with darker spots on a graded ground, 120 x 96."""
    y, x = np.mgrid[0:120, 0:96].astype(np.float64)
    ground = 60 + 120 * x / 96
    skin = np.hypot((x - 48) / 26, (y - 58) / 36) < 1
    spots = (
        (np.hypot(x - 38, y - 50) < 5)
        | (np.hypot(x - 58, y - 50) < 5)
        | (np.hypot((x - 48) / 12, (y - 76) / 4) < 1)
    )
    values = np.where(skin, np.where(spots, 50.0, 190.0), ground)
    return np.stack([values, values * 0.85, values * 0.7], 2).astype(np.uint8)


@pytest.fixture
def landmarks() -> np.ndarray:
    turn = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    outline = np.stack([48 + 26 * np.cos(turn), 58 + 36 * np.sin(turn)], 1)
    return np.vstack([outline, [[38, 50], [58, 50], [48, 62], [40, 76], [56, 76]]])


PRESENT = {
    "print": (attack.present_print, attack.PrintSettings),
    "replay": (attack.present_replay, attack.ReplaySettings),
}
ALL_SETTINGS = (
    attack.CameraSettings,
    attack.PrintSettings,
    attack.ReplaySettings,
    attack.BlendSettings,
)


def presented(kind: str, picture: np.ndarray, seed: int, frame: int = 0) -> attack.Presentation:
    present, settings = PRESENT[kind]
    rng = np.random.default_rng(seed)
    return present(picture, settings.draw(rng), attack.CameraSettings.draw(rng), seed, frame=frame)


@pytest.mark.parametrize("kind", PRESENT)
@pytest.mark.parametrize("seed", range(6))
def test_presentation_keeps_shape_and_is_deterministic(kind, seed, picture):
    first, again = presented(kind, picture, seed), presented(kind, picture, seed)
    assert first.image.shape == picture.shape and first.image.dtype == np.uint8
    assert np.array_equal(first.image, again.image)
    assert not np.array_equal(first.image, presented(kind, picture, seed + 1).image)


@pytest.mark.parametrize("kind", PRESENT)
def test_presentation_does_not_write_to_its_input(kind, picture):
    before = picture.copy()
    presented(kind, picture, 3)
    assert np.array_equal(before, picture)


@pytest.mark.parametrize("kind", PRESENT)
def test_frames_of_a_clip_share_the_scene_but_not_the_noise(kind, picture):
    a, b, other = (
        presented(kind, picture, s, f).image.astype(float) for s, f in ((1, 0), (1, 1), (2, 0))
    )
    assert not np.array_equal(a, b)
    assert np.abs(a - b).mean() < 0.5 * np.abs(a - other).mean()


def plain_camera() -> attack.CameraSettings:
    return attack.CameraSettings(
        defocus_px=0,
        shot_noise=0,
        read_noise=0,
        sharpening=0,
        vignette=0,
        mosaic=0,
        jpeg_quality=97,
    )


@pytest.mark.parametrize("kind", PRESENT)
def test_box_follows_the_face(kind, picture):
    """A bright spot of the source is found where Presentation.box says it is."""
    marked = np.full_like(picture, 40)
    marked[52:60, 44:52] = 255
    present, settings = PRESENT[kind]
    flat = (
        {"bars": "black", "blue_shift": 0.0, "grid": 0.0, "glare": 0.0, "band_depth": 0.0}
        if kind == "replay"
        else {"margin": 0.0, "gloss": 0.0}
    )
    shown = present(
        marked,
        settings(coverage=1.2, roll_deg=8, tilt_y_deg=12, **flat),
        plain_camera(),
        4,
        background=np.zeros_like(picture),
    )
    x, y, w, h = shown.box(44, 52, 8, 8)
    rows, columns = np.nonzero(shown.image.sum(2) > 0.75 * shown.image.sum(2).max())
    assert abs(columns.mean() - (x + w / 2)) < 2 and abs(rows.mean() - (y + h / 2)) < 2
    assert 0.6 < len(rows) / (w * h) < 1.6


def test_grid_leaves_a_periodic_trace_and_print_loses_gamut(picture):
    colourful = np.zeros_like(picture)
    colourful[..., 0] = 220
    base = attack.ReplaySettings(coverage=1.7, grid=0.0, glare=0.0, band_depth=0.0, pitch_px=2.5)
    strong = dataclasses.replace(base, grid=0.5)
    plain, ripple = (
        attack.present_replay(np.full_like(picture, 128), s, plain_camera(), 0)
        .image[40:80, 30:70, 1]
        .astype(float)
        for s in (base, strong)
    )
    assert ripple.std() > 4 * plain.std()
    full, faded = (
        attack.present_print(
            colourful, attack.PrintSettings(coverage=1.7, gamut=g), plain_camera(), 0
        )
        .image[50:70, 40:60]
        .astype(float)
        .mean((0, 1))
        for g in (1.0, 0.55)
    )
    assert (full[0] - full[1]) > 1.2 * (faded[0] - faded[1])


@pytest.mark.parametrize("settings", ALL_SETTINGS)
def test_report_settings_are_never_training_settings(settings):
    rng = np.random.default_rng(0)
    drawn = {
        split: [settings.draw(rng, split) for _ in range(400)] for split in ("training", "report")
    }
    for field in dataclasses.fields(settings):
        if "choices" in field.metadata:
            hidden = set(field.metadata["report_only"])
            assert not hidden & {getattr(s, field.name) for s in drawn["training"]}
            continue
        low, high = field.metadata["low"], field.metadata["high"]
        cells = {
            split: {min(int((getattr(s, field.name) - low) / (high - low) * 10), 9) for s in made}
            for split, made in drawn.items()
        }
        assert cells["report"] == {2, 5, 8} and cells["training"] == {0, 1, 3, 4, 6, 7, 9}


@pytest.mark.parametrize("settings", ALL_SETTINGS)
def test_settings_outside_their_limits_are_refused_by_name(settings):
    for field in dataclasses.fields(settings):
        bad = "nonsense" if "choices" in field.metadata else field.metadata["high"] + 1
        with pytest.raises(ValueError, match=rf"{field.name} is .*allowed"):
            settings(**{field.name: bad})
        if "choices" not in field.metadata:
            with pytest.raises(ValueError, match=field.name):
                settings(**{field.name: float("nan")})
    with pytest.raises(ValueError, match="split"):
        settings.draw(np.random.default_rng(0), "test")


@pytest.mark.parametrize(
    "bad",
    [
        np.zeros((40, 40), np.uint8),
        np.zeros((40, 40, 4), np.uint8),
        np.zeros((40, 40, 3)),
        np.zeros((8, 40, 3), np.uint8),
        "face.jpg",
    ],
)
def test_bad_images_are_refused(bad):
    for kind in PRESENT:
        with pytest.raises(ValueError, match="image is"):
            presented(kind, bad, 0)
    with pytest.raises(ValueError, match="image is"):
        attack.mark(bad)


@pytest.mark.parametrize("size", [(120, 96), (48, 64), (720, 1280), (33, 200)])
def test_mark_is_visible_and_leaves_the_rest_alone(size):
    image = np.full((*size, 3), 128, np.uint8)
    marked = attack.mark(image)
    strip = min(max(10, size[0] // 16), size[0])
    assert np.array_equal(marked[strip:], image[strip:])
    red = (marked[:strip] == (170, 0, 0)).all(2)
    assert red.mean() > 0.4 and (marked[:strip].min(2) > 150).any()
    assert (image == 128).all()


def test_self_blend_changes_the_face_only(picture, landmarks):
    made = attack.self_blend(picture, landmarks, attack.BlendSettings(shift=0.02, tint=0.1), 1)
    assert made.shape == picture.shape and made.dtype == np.uint8
    assert np.array_equal(
        made, attack.self_blend(picture, landmarks, attack.BlendSettings(shift=0.02, tint=0.1), 1)
    )
    assert np.array_equal(made[:12], picture[:12]) and not np.array_equal(
        made[40:80, 30:66], picture[40:80, 30:66]
    )


def test_face_swap_brings_the_donors_features_to_the_targets_place(picture, landmarks):
    donor = np.roll(picture, (6, -8), (0, 1))
    donor[:, :, 1] = donor[:, :, 0]
    donor_points = landmarks + (-8, 6)
    settings = attack.BlendSettings(colour_match=0.3, shift=0, softness=0, feather=0.02, tint=0)
    made = attack.face_swap(picture, landmarks, donor, donor_points, settings, 0)
    wanted = np.roll(donor, (-6, 8), (0, 1))
    inside = np.s_[44:80, 36:60]
    assert (
        np.abs(made[inside][..., 1].astype(float) - wanted[inside][..., 1]).mean()
        < np.abs(picture[inside][..., 1].astype(float) - wanted[inside][..., 1]).mean()
    )
    assert np.array_equal(made[:12], picture[:12])
    with pytest.raises(ValueError, match="correspond"):
        attack.face_swap(picture, landmarks, donor, donor_points[:-1], settings, 0)
    with pytest.raises(ValueError, match="landmarks has shape"):
        attack.self_blend(picture, landmarks[:, :1], settings, 0)


def test_frame_orders():
    frames = list(range(10))
    assert attack.freeze(frames, 3, 4) == [0, 1, 2, 3, 3, 3, 3, 7, 8, 9]
    assert attack.loop(frames, 2, 3, 2) == [0, 1, 2, 3, 4, 2, 3, 4]
    assert attack.duplicate(frames, 4) == [0, 1, 2, 3, 3, 5, 6, 7, 7, 9]
    assert attack.reverse(frames, 2, 4) == [0, 1, 2, 3, 4, 5, 4, 3, 2]
    for bad in (
        lambda: attack.freeze(frames, 8, 3),
        lambda: attack.loop(frames, -1, 3, 2),
        lambda: attack.loop(frames, 0, 3, 1),
        lambda: attack.duplicate(frames, 1),
    ):
        with pytest.raises(ValueError):
            bad()


def test_timestamp_patterns():
    made = {p: np.array(attack.timestamps(300, p, 30, seed=1)) for p in attack.TIMESTAMP_PATTERNS}
    steps = {p: np.diff(t) for p, t in made.items()}
    assert all(len(t) == 300 and t.min() >= 0 for t in made.values())
    assert steps["camera"].min() > 0 and steps["camera"].std() > 300
    assert np.ptp(steps["exact"]) <= 1
    assert (steps["repeated"] == 0).any() and (steps["backwards"] < 0).any()
    assert (steps["bursts"] == 200).sum() > 200
    assert np.median(steps["too_fast"]) < 2000
    assert steps["drift"][0] > 3 * steps["drift"][-1]
    assert attack.timestamps(50, "camera", 30, 7) == attack.timestamps(50, "camera", 30, 7)
    for wrong in ({"count": 0}, {"rate_hz": 0.0}, {"pattern": "odd"}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            attack.timestamps(**{"count": 5, "pattern": "exact", **wrong})


def has_mark(image: np.ndarray) -> bool:
    strip = image[: max(10, image.shape[0] // 16)].astype(int)
    return bool((np.abs(strip - (170, 0, 0)).sum(2) < 90).mean() > 0.35)


@pytest.mark.parametrize("verb", ["print", "replay", "reencode", "selfblend", "faceswap"])
def test_cli_marks_and_documents_stills(verb, picture, landmarks, tmp_path, capsys):
    source, out, points = tmp_path / "in.png", tmp_path / "out.png", tmp_path / "points.json"
    Image.fromarray(picture).save(source)
    points.write_text(json.dumps(landmarks.tolist()))
    more = ["--landmarks", str(points)] if verb in ("selfblend", "faceswap") else []
    if verb == "faceswap":
        more += ["--donor", str(source), "--donor-landmarks", str(points)]
    assert cli.main([verb, str(source), str(out), "--seed", "5", *more]) == 0
    first = clips.read_still(out)
    assert first.shape == picture.shape and has_mark(first)
    facts = json.loads((tmp_path / "out.png.json").read_text())
    assert facts["simulated_attack"] == verb and facts["seed"] == 5
    assert cli.main([verb, str(source), str(out), "--seed", "5", *more]) == 0
    assert np.array_equal(first, clips.read_still(out))


def test_cli_settings_are_taken_and_checked(picture, tmp_path, capsys):
    source, out = tmp_path / "in.png", tmp_path / "out.png"
    Image.fromarray(picture).save(source)
    assert (
        cli.main(
            [
                "replay",
                str(source),
                str(out),
                "--set",
                "coverage=1.1",
                "--set",
                "layout=pentile",
                "--set",
                "jpeg_quality=50",
            ]
        )
        == 0
    )
    facts = json.loads((tmp_path / "out.png.json").read_text())
    assert (
        facts["settings"]["coverage"] == 1.1
        and facts["settings"]["layout"] == "pentile"
        and facts["camera"]["jpeg_quality"] == 50
    )
    for wrong, said in (
        ("coverage=9", "coverage is 9.0, allowed"),
        ("coverage=wide", "allowed is a number"),
        ("colour=red", "no such setting"),
        ("coverage", "NAME=VALUE"),
    ):
        assert cli.main(["replay", str(source), str(out), "--set", wrong]) == 2
        assert said in capsys.readouterr().err
    assert cli.main(["freeze", str(source), str(out)]) == 2
    assert "order or timing" in capsys.readouterr().err
    assert cli.main(["print", str(tmp_path / "none.png"), str(out)]) == 2


def test_cli_clips(picture, tmp_path, capsys):
    source = tmp_path / "in.mp4"
    shown = [np.roll(scene.resize(picture, 128, 160), i, 1) for i in range(12)]
    clips.write_clip(source, shown, [i * 40_000 for i in range(12)])
    frames, at_us = clips.read_clip(source)
    assert len(frames) == 12 and at_us[1] - at_us[0] == 40_000
    orders = {
        "replay": (list(range(12)), []),
        "reencode": (list(range(12)), []),
        "freeze": ([0, 1, 2, 2, 2, 2, *range(6, 12)], ["--start", "2", "--count", "4"]),
        "loop": ([0, 1, 2, 3, 1, 2, 3], ["--start", "1", "--period", "3", "--times", "2"]),
        "duplicate": ([0, 1, 2, 3, 3, 5, 6, 7, 7, 9, 10, 11], ["--every", "4"]),
        "reverse": ([0, 1, 2, 3, 2, 1, 0], ["--count", "4"]),
        "timestamps": (list(range(12)), ["--pattern", "repeated"]),
    }
    for verb, (order, more) in orders.items():
        out = tmp_path / f"{verb}.mp4"
        assert cli.main([verb, str(source), str(out), *more]) == 0
        facts = json.loads((tmp_path / f"{verb}.mp4.json").read_text())
        assert facts["source_frames"] == order and len(facts["timestamps_us"]) == len(order)
        made, _ = clips.read_clip(out)
        assert len(made) == len(order) and all(has_mark(image) for image in made)
    assert cli.main(["reencode", str(source), str(tmp_path / "short.mp4"), "--frames", "5"]) == 0
    assert len(clips.read_clip(tmp_path / "short.mp4")[0]) == 5
    clips.write_clip(
        tmp_path / "grey.mp4", [np.full((128, 160, 3), 120, np.uint8)] * 2, [0, 40_000]
    )
    assert cli.main(["selfblend", str(tmp_path / "grey.mp4"), str(tmp_path / "faceless.mp4")]) == 2
    assert "no face was found in any frame" in capsys.readouterr().err
