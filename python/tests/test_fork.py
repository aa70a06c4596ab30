"""An engine that has worked goes on working in a forked child."""

import os
import select

import pytest
import vultus

REFERENCES = 5000
PATIENCE_S = 120


def answers(engine, gallery, probe, selfie, card):
    decision = engine.verify(selfie, card)
    found = gallery.search(probe, most=3)
    return repr((decision.outcome, decision.comparison.score, [(c.id, c.score) for c in found]))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes that fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.parametrize("parallel", [False, True])
def test_a_forked_child_answers_as_its_parent(selfie, card, photos, parallel):
    engine = vultus.Engine(parallel=parallel)
    gallery = engine.gallery()
    people = [engine.enrol(photos / f"{name}.jpg").template for name in ("obama", "biden")]
    for reference in range(REFERENCES):
        gallery.insert(reference, people[reference % 2])
    probe = engine.enrol(selfie).template
    expected = answers(engine, gallery, probe, selfie, card)

    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writing, answers(engine, gallery, probe, selfie, card).encode())
        finally:
            os._exit(0)
    os.close(writing)
    ready, _, _ = select.select([reading], [], [], PATIENCE_S)
    if not ready:
        os.kill(child, 9)
    told = os.read(reading, 1 << 16).decode() if ready else "nothing: it hangs"
    os.close(reading)
    os.waitpid(child, 0)
    assert told == expected
    assert answers(engine, gallery, probe, selfie, card) == expected
