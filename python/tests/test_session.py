"""Sessions on a public-domain portrait that is moved, and on what is done to its frames."""

import hashlib
import itertools
import json
import math
import shutil

import numpy as np
import pytest
import vultus
from PIL import Image

MOVED = {"pad": "ignore"}
"""The policy where the moved portrait stands for frames of any kind, not for a person."""


def framed(photo, dx=0.0, dy=0.0, scale=1.0, size=(480, 480)):
    """The portrait on a canvas, moved by a fraction of it."""
    picture = Image.open(photo).convert("RGB")
    side = min(picture.size)
    width, height = size
    box = [side * (0.5 - 0.5 / scale + dx), side * (0.5 - 0.5 / scale + dy)]
    return picture.transform(
        size,
        Image.Transform.AFFINE,
        (side / scale / width, 0, box[0], 0, side / scale / height, box[1]),
        Image.Resampling.BILINEAR,
    )


def sway(photo, count, seed=0):
    """Frames of a portrait that moves like a hand-held camera does, with the camera's noise."""
    noise = np.random.default_rng(seed)
    for i in range(count):
        t = i / 30
        frame = framed(
            photo,
            0.02 * math.sin(1.7 * t) + 0.004 * math.sin(7.1 * t),
            0.015 * math.sin(1.1 * t + 1),
        )
        pixels = np.asarray(frame, np.int16) + noise.normal(0, 2, (480, 480, 3)).round().astype(
            np.int16
        )
        yield np.clip(pixels, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def swaying(selfie):
    return list(sway(selfie, 40))


def run(engine, frames, at=lambda i: i * 33_333, challenge=None):
    session = engine.session(challenge)
    told = [session.push(frame, at(i), "rgb") for i, frame in enumerate(frames)]
    return session, told


def test_a_session_guides_and_verifies(engine, swaying, card):
    session, told = run(engine, swaying)
    assert told[-1].code == "ready" and told[-1].frames > 20 and told[-1].face.width > 50
    # A portrait that is moved before the camera is an attack, and refused as one.
    refused = session.verify(card)
    assert refused.outcome == "reject" and refused.comparison.is_match
    assert refused.selfie.pad.status == "attack" and refused.selfie.pad.frames == 40
    decision = session.verify(card, policy=MOVED)
    assert decision.outcome in ("accept", "inconclusive"), str(decision)
    assert decision.comparison.is_match and decision.selfie.pad.text.endswith("frames)")
    assert decision.sequence.frames == 40 and decision.sequence.duration_ms == 1299
    assert decision.sequence["looped-frames"].channel == "injection"
    alone = session.evidence().to_dict()
    assert alone.pop("format") == json.loads(decision.to_json())["format"] == 1
    assert json.loads(decision.to_json())["sequence"] == alone
    assert repr(session).startswith("Session(40 frames, 1299 ms")
    template = session.template()
    assert session.verify(template).comparison.score > 0.99
    assert engine.verify(swaying[5], template, colour="rgb").comparison.is_match


def test_verify_takes_frames(engine, swaying, card):
    by_list = engine.verify(swaying[:6], card, colour="rgb")
    by_iterator = engine.verify(
        ((frame, i * 33_333) for i, frame in enumerate(swaying[:6])), card, colour="rgb"
    )
    assert by_list.to_json() == by_iterator.to_json()
    assert by_list.comparison.is_match and by_list.sequence.frames == 6


def test_injected_runs_are_found_and_the_policy_decides(engine, swaying, card):
    def session(order):
        return run(engine, [swaying[i] for i in order])[0]

    def risk(order):
        return session(order).evidence()

    assert risk(range(40))["looped-frames"].value < 0.5
    looped = session([*range(20), *range(20)])
    rejected = looped.verify(card, policy=MOVED)
    assert rejected.outcome == "reject" and rejected.reasons[0].code == "sequence-manipulated", str(
        rejected
    )
    for rule, effect in (("ignore", "note"), ("inconclusive", "inconclusive")):
        decided = looped.verify(card, policy={**MOVED, "sequence": {"high": rule}})
        assert [r.effect for r in decided.reasons if r.code == "sequence-manipulated"] == [effect]
    for name, order in {
        "frozen-frames": [*range(12), *[12] * 20, *range(32, 40)],
        "looped-frames": [*range(20), *range(20), *range(20)],
        "reversed-frames": [*range(30), *reversed(range(29))],
    }.items():
        seen = risk(order)
        assert seen.injection.risk == "HIGH" and name in [
            s.name for s in seen.signals if s.percentile == 100
        ], str(seen)


def test_two_people_in_turn_are_an_identity_switch(engine, photos, swaying):
    seen = run(engine, [*swaying[:20], *sway(photos / "biden.jpg", 20, 1)])[0].evidence()
    assert seen.deepfake.risk == "HIGH" and seen["identity-switch"].value > 0.4, str(seen)
    assert "the person before and after a moment is not the same" in seen.text


def test_bad_input_is_evidence_or_a_clear_error(engine, swaying, card):
    one, _ = run(engine, swaying[:1])
    assert (
        one.evidence().risk is None
        and "one frame is a still" in one.evidence().text
        and one.verify(card).comparison.is_match
    )
    empty = engine.session()
    assert empty.template() is None and empty.verify(card).outcome == "inconclusive"
    for at in (lambda i: (100 - i) * 33_333, lambda i: i // 2 * 33_333):
        unordered = run(engine, swaying[:20], at=at)[0].evidence()
        assert unordered["timestamp-order"].value >= 0.5 and unordered.injection.risk == "HIGH"
        assert "timestamps repeat or go backwards" in unordered.text
    sizes = run(
        engine, [framed_to(frame, 480 - 40 * (i % 2)) for i, frame in enumerate(swaying[:20])]
    )[0].evidence()
    assert (
        sizes["frame-size-changes"].value == 19
        and sizes["frame-size-changes"].text == "the frames change their size"
    )
    twice = run(engine, [swaying[i // 2] for i in range(20)])[0].evidence()
    assert (
        twice["repeated-frames"].value == pytest.approx(10 / 19)
        and "equal the one before them" in twice.text
    )
    blank = np.full((480, 480, 3), 120, np.uint8)
    half, told = run(
        engine,
        itertools.chain.from_iterable((frame, blank + i) for i, frame in enumerate(swaying[:10])),
    )
    assert [t.code for t in told[1::2]] == ["no-face"] * 10 and told[-1].face is None
    assert "10 of the 20 frames show no face" in half.evidence().text
    assert half.verify(card).comparison.is_match
    with pytest.raises(vultus.InputError, match="frame"):
        engine.session().push(b"no picture", 0)
    with pytest.raises(vultus.UsageError, match="no challenge"):
        engine.session().begin_challenge(0)


def framed_to(pixels, side):
    return np.asarray(Image.fromarray(pixels).resize((side, side)))


def test_guidance_says_what_is_wrong(engine, selfie, photos):
    def told(picture):
        return engine.session().push(picture, 0).code

    assert told(framed(selfie, scale=0.15)) == "come-closer"
    assert told(framed(selfie, dx=-0.3)) == "centre-face"
    two = Image.new("RGB", (960, 480))
    two.paste(framed(selfie), (0, 0))
    two.paste(framed(photos / "biden.jpg"), (480, 0))
    assert told(two) == "several-faces"
    assert told(framed(selfie).point(lambda v: v // 16)) in ("turn-to-the-light", "no-face")


def lit(frame, colour, strength=0.06, behind=0.25):
    """The frame in the light of a screen of that colour, of which `behind` reaches what lies beside
    the head, in the middle of the frame.
    """
    y, x = np.mgrid[: frame.shape[0], : frame.shape[1]] / frame.shape[0] - 0.5
    share = np.where(np.hypot(x, y) < 0.3, 1, behind)[..., None]
    return np.clip(frame * (1 + strength * share * np.array(colour)), 0, 255).astype(np.uint8)


def colour_at(script, ms):
    """The colour that the screen shows at that time of the challenge, each channel 0..=1."""
    for step in script["steps"]:
        if step["start_ms"] <= ms < step["start_ms"] + step["duration_ms"]:
            return [int(step["colour"][c : c + 2], 16) / 255 for c in (1, 3, 5)]
    return (0, 0, 0)


@pytest.mark.parametrize(
    ("shown", "late_ms", "behind", "status"),
    [
        (b"a", 80, 0.25, "passed"),
        (b"b", 80, 0.25, "failed"),
        (b"a", 700, 0.25, "failed"),
        (b"a", 80, 1, "failed"),  # the picture is tinted, by software
    ],
)
def test_the_flashes_of_the_nonce_must_be_reflected_in_time(
    engine, selfie, shown, late_ms, behind, status
):
    asked, played = (vultus.Challenge(nonce * 16, ["flash"]) for nonce in (b"a", shown))
    script = played.to_dict()
    assert script["duration_ms"] == asked.duration_ms == 3600
    session = engine.session(asked)
    session.begin_challenge(400_000)
    for i, frame in enumerate(sway(selfie, 65)):
        shining = colour_at(script, i * 80 - 400 - late_ms)
        session.push(lit(frame, shining, behind=behind), i * 80_000, "rgb")
    found = session.evidence()
    assert found.challenge.status == status, found.challenge.text
    assert found.capture == ("challenge" if status == "passed" else "none")
    assert found.challenge.entropy_bits == pytest.approx(asked.entropy_bits)
    assert asked.entropy_bits > 20


def test_steps_come_one_by_one_and_the_capture_can_be_attested(engine, selfie, card):
    asked = vultus.Challenge(b"a" * 16, ["flash"])
    session = engine.session(asked)
    with pytest.raises(vultus.UsageError, match="nothing can be attested"):
        session.attestation_digest()
    ahead_us = 5_000_000_000  # the host's clock is another than the camera's
    shown, ask_at = [], 400
    for i, frame in enumerate(sway(selfie, 75)):
        ms = i * 80
        while ask_at is not None and ask_at <= ms:
            next_step = session.next_step(ahead_us + ask_at * 1000)
            if next_step.step:
                shown.append((ask_at, next_step.step))
            ask_at = None if next_step.is_over else ask_at + next_step.wait_ms
        colour = next(
            (
                [int(step["colour"][c : c + 2], 16) / 255 for c in (1, 3, 5)]
                for start, step in shown
                if start <= ms - 120 < start + step["duration_ms"]
            ),
            (0, 0, 0),
        )
        session.push(
            lit(frame, colour),
            ms * 1000,
            "rgb",
            arrived_us=ahead_us + ms * 1000 + 60_000,
            sha256=hashlib.sha256(frame).digest(),
        )
    assert [step for _, step in shown] == asked.to_dict()["steps"]
    found = session.evidence()
    assert (found.challenge.status, found.capture) == ("passed", "host-time"), found.challenge.text
    policy = {"min_capture": "attested", "pad": "ignore", "sequence": {"high": "ignore"}}
    codes = [reason.code for reason in session.verify(card, policy=policy).reasons]
    assert "capture-level" in codes
    digest = session.attestation_digest()
    assert isinstance(digest, bytes) and len(digest) == 32
    with pytest.raises(vultus.UsageError, match="not that of this session"):
        session.attest(bytes(32))
    session.attest(digest)
    assert session.evidence().capture == "attested"
    codes = [reason.code for reason in session.verify(card, policy=policy).reasons]
    assert "capture-level" not in codes
    session.push(lit(frame, (0, 0, 0)), 6_000_000, "rgb", arrived_us=ahead_us + 6_060_000)
    assert session.evidence().capture == "host-time"
    with pytest.raises(vultus.UsageError, match="must not go back"):
        session.next_step(0)
    with pytest.raises(vultus.UsageError, match="begun already"):
        session.begin_challenge(0)


def lids_shut(frame, points):
    """The frame with the skin above each eye drawn down over it."""
    y, x = np.mgrid[: frame.shape[0], : frame.shape[1]].astype(float)
    up = np.zeros_like(x)
    for outer, inner in np.array(points)[[[33, 133], [263, 362]]]:
        (cx, cy), width = (outer + inner) / 2, np.hypot(*(outer - inner))
        up += (
            0.7
            * width
            * np.exp(-(((x - cx) / (0.75 * width)) ** 4) - ((y - cy) / (0.3 * width)) ** 4)
        )
    return frame[np.clip(y - up, 0, None).round().astype(int), x.astype(int)]


@pytest.fixture(scope="module")
def eyes_open_and_shut(engine, selfie):
    """The same 60 frames twice."""
    open_ = list(sway(selfie, 60))
    return open_, [
        lids_shut(frame, engine.examine(frame, colour="rgb").face.landmarks) for frame in open_
    ]


@pytest.fixture(scope="module")
def without_eyes(tmp_path_factory):
    """The default pack without the network that sees the eyelids."""
    folder = tmp_path_factory.mktemp("packs") / "pack"
    shutil.copytree(vultus.DEFAULT_PACK, folder)
    table = json.loads((folder / "pack.json").read_text())
    table["models"] = [model for model in table["models"] if model["id"] != "iris"]
    (folder / "pack.json").write_text(json.dumps(table))
    return vultus.Engine(folder)


@pytest.mark.parametrize(
    ("late_ms", "shut", "status"),
    [(0, True, "passed"), (3_700, True, "failed"), (0, False, "failed")],
)
def test_the_eyes_must_shut_as_often_as_asked_and_in_time(
    engine, eyes_open_and_shut, late_ms, shut, status
):
    asked = vultus.Challenge(b"d" * 16, ["blink"])
    assert asked.to_dict()["steps"] == [
        {"kind": "blink", "start_ms": 0, "duration_ms": 3000, "times": 2}
    ]
    session = engine.session(asked)
    session.begin_challenge(900_000)
    for i, pair in enumerate(zip(*eyes_open_and_shut, strict=True)):
        since = i * 90 - 900 - late_ms - 400
        session.push(pair[shut and 0 <= since < 1600 and since % 800 < 300], i * 90_000, "rgb")
    assert session.evidence().challenge.status == status, session.evidence().challenge


def test_a_pack_that_sees_no_eyelids_abstains_from_blinks(without_eyes, eyes_open_and_shut, card):
    session = without_eyes.session(vultus.Challenge(b"a" * 16, ["blink"]))
    session.begin_challenge(0)
    for i, frame in enumerate(eyes_open_and_shut[0]):
        session.push(frame, i * 60_000, "rgb")
    challenge = session.evidence().challenge
    assert (challenge.assessed, challenge.reason) == ("not-possible", "no-weights")
    assert "challenge-not-assessable" in [reason.code for reason in session.verify(card).reasons]


def test_a_challenge_says_what_it_asks():
    challenge = vultus.Challenge(bytes(range(16)), ["head-turn", "blink"])
    assert (
        challenge.kinds == ["head-turn", "blink"]
        and repr(challenge) == "Challenge(head-turn, blink, 5000 ms)"
    )
    assert (
        challenge.to_json() == vultus.Challenge(bytes(range(16)), ["head-turn", "blink"]).to_json()
    )
    for nonce, kinds, said in (
        (b"short", ["flash"], "5 bytes"),
        (bytes(16), [], "at least one"),
        (bytes(16), ["smile"], "allowed are"),
    ):
        with pytest.raises(vultus.UsageError, match=said):
            vultus.Challenge(nonce, kinds)


def clip(path, frames):
    from vultus.attack.clips import write_clip

    write_clip(path, frames, [i * 33_333 for i in range(len(frames))])


def test_the_command_verifies_a_video(engine, swaying, card, tmp_path, capsys):
    from vultus.__main__ import main

    whole, cut, cut_matroska = tmp_path / "clip.mp4", tmp_path / "half.mp4", tmp_path / "half.mkv"
    clip(whole, swaying)
    # The portrait matches, and is an attack: moved before the camera.
    assert main(["verify", "--video", str(whole), str(card)]) == 1
    assert "the comparison score" in capsys.readouterr().out
    assert main(["verify", "--video", str(whole), str(card), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["sequence"]["frames"] == 40
    (tmp_path / "text.mp4").write_text("no video")
    for half in (cut, cut_matroska):
        clip(half, swaying)
        half.write_bytes(half.read_bytes()[: half.stat().st_size // 2])
    for bad, said in (
        (cut, "is cut"),
        (cut_matroska, "is cut: it should last 1.3 s"),
        (tmp_path / "none.mp4", "No such file"),
        (tmp_path / "text.mp4", "as a video"),
    ):
        assert main(["verify", "--video", str(bad), str(card)]) == 3
        told = capsys.readouterr().err
        assert bad.name in told and said in told


def test_a_missing_reader_is_said(monkeypatch, card, capsys):
    from vultus.__main__ import main

    monkeypatch.setitem(__import__("sys").modules, "av", None)
    assert main(["verify", "--video", "clip.mp4", str(card)]) == 3
    assert 'pip install "vultus[video]"' in capsys.readouterr().err


def test_a_spoof_of_the_right_person_is_rejected(engine, selfie, card):
    """A replay on a simulated screen matches, and is rejected with the reason; the same portrait as
    taken is accepted.
    """
    from vultus import attack

    plain = engine.verify(selfie, card)
    assert plain.outcome == "accept"
    picture = np.asarray(framed(selfie, size=(960, 960)))
    shown = attack.present_replay(
        picture, attack.ReplaySettings(coverage=0.9), attack.CameraSettings(), 3
    ).image
    spoofed = engine.verify(shown, card, colour="rgb")
    assert spoofed.comparison.is_match and spoofed.outcome == "reject"
    assert spoofed.reasons[0].code == "presentation-attack"
