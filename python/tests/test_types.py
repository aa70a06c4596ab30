"""What a type checker says of programs, and what the schema says of answers."""

import json
import pathlib
import subprocess
import sys

import jsonschema
import numpy as np
import vultus

SCHEMA = pathlib.Path(__file__).parents[2] / "schema" / "evidence-1.json"

GOOD = """
import vultus

engine = vultus.Engine()
decision = engine.verify("selfie.jpg", "passport.jpg", policy={"pad": "require"})
if decision.outcome == "accept" and decision.sequence.risk != "HIGH":
    for reason in decision.reasons:
        if reason.code == "non-match" and reason.effect == "reject":
            print(reason.text)
sample = engine.examine("selfie.jpg", role="document")
if sample.quality is not None:
    print(sample.quality["sharpness"].score)
"""

BAD = {
    'decision.outcome == "accept"': 'decision.outcome == "acept"',
    'role="document"': 'role="id"',
    'reason.code == "non-match"': 'reason.code == "nomatch"',
    'risk != "HIGH"': 'risk != "high"',
    'quality["sharpness"]': 'quality["sharpnes"]',
}


def checked(program, folder):
    path = folder / "program.py"
    path.write_text(program)
    return subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", path],
        capture_output=True,
        text=True,
        cwd=folder,
        check=False,
    )


def test_a_type_checker_refuses_names_that_there_are_not(tmp_path):
    good = checked(GOOD, tmp_path)
    assert good.returncode == 0, good.stdout + good.stderr
    for right, wrong in BAD.items():
        assert right in GOOD
        bad = checked(GOOD.replace(right, wrong), tmp_path)
        assert bad.returncode == 1 and "program.py" in bad.stdout, (wrong, bad.stdout)


def test_every_answer_is_as_the_schema_says(engine, selfie, card):
    schema = json.loads(SCHEMA.read_text())
    validator = jsonschema.Draft202012Validator(schema)
    session = engine.session(vultus.Challenge(bytes(16), ["flash"]))
    session.push(selfie, 0)
    document = {"require": "read", "today": "2026-12-01", "holder": {"family_name": "Specimen"}}
    answers = {
        "Decision": [
            engine.verify(selfie, card),
            engine.verify(selfie, card, policy={"document": document}),
            engine.verify(np.zeros((64, 64, 3), np.uint8), card, colour="rgb"),
            session.verify(card),
            engine.verify(selfie, engine.enrol(card, role="document").template),
        ],
        "Sample": [engine.examine(selfie), engine.examine(card, role="document")],
        "SequenceEvidence": [session.evidence()],
        "DocumentReport": [engine.read_document(card), engine.read_document(selfie)],
    }
    for name, results in answers.items():
        one = jsonschema.Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": schema["$defs"]})
        for result in results:
            answer = result.to_dict()
            assert answer["format"] == 1
            validator.validate(answer)
            one.validate(answer)
            # What is missing or misspelt is found.
            for key in set(answer) - {"format"}:
                assert not one.is_valid({k: v for k, v in answer.items() if k != key}), key
    wrong = engine.verify(selfie, card).to_dict() | {"outcome": "acept"}
    assert not validator.is_valid(wrong)
