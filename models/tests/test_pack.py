import json

import pytest
from vultus_models import pack
from vultus_models.fault import Fault
from vultus_models.fetch import Fetcher
from vultus_models.manifest import load_all, load_plan


class Interrupting(Fetcher):
    """Brings the first file and is interrupted at the second."""

    def file(self, source):
        if source.file == "second.onnx":
            raise KeyboardInterrupt
        return super().file(source)


class Unused(Fetcher):
    def file(self, source):
        pytest.fail(f"fetched {source.file}")


@pytest.fixture
def out(tmp_path, plan, tiny, brought):
    folder = tmp_path / "build" / "pack"
    assert pack.build(plan, tiny, folder, Fetcher(tmp_path / "cache", local=brought))
    return folder


def test_a_pack_names_and_holds_its_weights(out, tiny):
    assert sorted(path.name for path in out.iterdir()) == ["first.onnx", "pack.json", "second.onnx"]
    assert [path.name for path in out.parent.iterdir()] == ["pack"]
    table = json.loads((out / "pack.json").read_text())
    assert (table["format"], table["name"], table["version"]) == (1, "tiny", "1")
    first = table["models"][0]
    assert first["id"] == "first" and first["file"] == "first.onnx" and first["bytes"] == 5
    assert first["licence"] == {"spdx": "Apache-2.0", "use": "permissive"}
    assert first["input"] == {
        "name": "input",
        "shape": [1, 3, 80, 80],
        "colour": "bgr",
        "scale": 1.0,
        "offset": 0.0,
    }
    assert first["outputs"] == [{"name": "logits", "shape": [1, 3]}]
    assert [model["sha256"] for model in pack.verify(out)] == [
        manifest.converted.sha256 for manifest in tiny
    ]


def test_a_second_run_does_nothing(tmp_path, out, plan, tiny):
    before = {path: path.stat().st_mtime_ns for path in [out, *out.iterdir()]}
    assert not pack.build(plan, tiny, out, Unused(tmp_path / "cache"))
    assert before == {path: path.stat().st_mtime_ns for path in [out, *out.iterdir()]}


def test_an_interrupted_run_leaves_no_half_pack(tmp_path, plan, tiny, brought):
    folder = tmp_path / "build" / "pack"
    with pytest.raises(KeyboardInterrupt):
        pack.build(plan, tiny, folder, Interrupting(tmp_path / "cache", local=brought))
    assert list(folder.parent.iterdir()) == []


def test_an_interrupted_run_keeps_the_old_pack(tmp_path, out, plan, tiny, brought):
    (out / "second.onnx").write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt):
        pack.build(plan, tiny, out, Interrupting(tmp_path / "cache", local=brought))
    assert [path.name for path in out.parent.iterdir()] == ["pack"]
    assert (out / "second.onnx").read_bytes() == b"old"


def test_what_a_killed_run_left_is_cleared(tmp_path, plan, tiny, brought):
    folder = tmp_path / "build" / "pack"
    left = tmp_path / "build" / ".pack.partial"
    left.mkdir(parents=True)
    (left / "stray.onnx").write_bytes(b"half")
    pack.build(plan, tiny, folder, Fetcher(tmp_path / "cache", local=brought))
    assert not left.exists() and not (folder / "stray.onnx").exists()
    pack.verify(folder)


@pytest.mark.parametrize("damage", ["flip", "remove", "add"])
def test_a_damaged_pack_is_repaired_from_what_is_needed(tmp_path, out, plan, tiny, brought, damage):
    (brought / "first.onnx").unlink()
    if damage == "flip":
        (out / "second.onnx").write_bytes(b"sECOND")
    elif damage == "remove":
        (out / "second.onnx").unlink()
    else:
        (out / "stray.onnx").write_bytes(b"")
    assert pack.build(plan, tiny, out, Fetcher(tmp_path / "cache", local=brought))
    assert sorted(path.name for path in out.iterdir()) == ["first.onnx", "pack.json", "second.onnx"]
    pack.verify(out)


def test_a_folder_that_is_no_pack_is_left_alone(tmp_path, plan, tiny, brought):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work")
    with pytest.raises(Fault, match="exists and is no model pack"):
        pack.build(plan, tiny, mine, Fetcher(tmp_path / "cache", local=brought))
    assert (mine / "thesis.txt").read_text() == "years of work"


def test_a_conversion_with_another_result_is_refused(tmp_path, plan, tiny, brought, monkeypatch):
    monkeypatch.setattr(pack, "convert", lambda data, _: data + b"!")
    with pytest.raises(
        Fault, match=r"first.onnx, as converted, has the wrong hash(?s:.*)manifests/first.toml"
    ):
        pack.build(plan, tiny, tmp_path / "pack", Fetcher(tmp_path / "cache", local=brought))


def test_a_licence_that_is_not_permissive_is_accepted_by_name():
    plan, known = load_plan("default"), load_all()
    with pytest.raises(
        Fault,
        match=r"fr-feature: the licence of its weights is unknown .* --accept-licence fr-feature",
    ):
        pack.select(plan, known, ["fr-feature"], ["mobilefacenet"])
    chosen = pack.select(plan, known, ["fr-feature", "fr-feature"], ["fr-feature"])
    assert [manifest.id for manifest in chosen] == [*plan.models, "fr-feature"]
    with pytest.raises(Fault, match="there is no weight 'nosuch'; known are blazeface-full"):
        pack.select(plan, known, ["nosuch"], [])


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("first.onnx", b"First", "was changed after the pack was built"),
        ("first.onnx", b"version https://git-lfs.github.com/spec/v1\n", "is a Git LFS pointer"),
        ("first.onnx", None, "first.onnx is missing"),
        ("pack.json", None, "is no model pack"),
        ("pack.json", b"{", "is no manifest of a pack"),
        ("pack.json", b'{"format": 2, "models": []}', "has format 2, this tool reads format 1"),
        (
            "pack.json",
            b'{"format": 1, "models": [{"id": "a", "file": "../a", "sha256": ""}]}',
            "outside the pack",
        ),
    ],
)
def test_verify_refuses(out, file, content, message):
    if content is None:
        (out / file).unlink()
    else:
        (out / file).write_bytes(content)
    with pytest.raises(Fault, match=message):
        pack.verify(out)
