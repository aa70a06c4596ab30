"""Sessions on real presentations, where `../shared/datasets` holds them: clips of people, and of
telephones and tablets that were held before the camera.
"""

import pathlib

import pytest

CLIPS = pathlib.Path(__file__).parents[3] / "shared" / "datasets" / "pad_webcam"


def frames(path, step):
    av = pytest.importorskip("av")
    with av.open(path) as clip:
        for i, frame in enumerate(clip.decode(video=0)):
            if i % step == 0:
                yield i * 33_333, frame.to_ndarray(format="rgb24")


def presented(engine, clips, card):
    """What PAD says of all frames of `clips`, one after the other in one session."""
    session, start = engine.session(), 0
    for clip in clips:
        at = 0
        for at, frame in frames(clip, 12):
            session.push(frame, start + at, "rgb")
        start += at + 33_333
    return session.verify(card).selfie.pad


def clip(name):
    path = CLIPS / name
    if not path.is_file():
        pytest.skip(f"{path} is not there: not tested on real presentations")
    return path


@pytest.mark.parametrize("source", ["krz", "lestari", "tran"])
def test_a_person_before_a_webcam_is_bona_fide(engine, card, source):
    pad = presented(engine, [clip(f"{source}/video/bona_fide.mp4")], card)
    assert pad.status == "bona-fide" and pad.frames >= 3, pad


@pytest.mark.parametrize("source", ["lestari", "mani", "tran"])
def test_a_screen_before_a_webcam_is_an_attack(engine, card, source):
    pad = presented(engine, [clip(f"{source}/video/replay.mp4")], card)
    assert pad.status == "attack" and pad.frames >= 3, pad


def test_a_screen_that_was_seen_is_not_forgotten(engine, card):
    """Ten frames and more of a person after a screen do not outweigh it."""
    screen, person = clip("lestari/video/replay.mp4"), clip("tran/video/bona_fide.mp4")
    pad = presented(engine, [screen, person], card)
    assert pad.status == "attack" and "in some frames" in pad.text, pad
