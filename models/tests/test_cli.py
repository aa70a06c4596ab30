import pytest
from vultus_models.cli import main
from vultus_models.manifest import load_plan


@pytest.fixture
def work(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_default_pack_is_built_verified_and_then_up_to_date(work, fetcher, capsys):
    build = ["build", "--out", "pack", "--cache", str(fetcher.cache)]
    assert main(build) == 0
    assert main([*build, "--offline"]) == 0
    assert main(["verify", "pack"]) == 0
    out = capsys.readouterr().out
    count = f"{len(load_plan('default').models)} models"
    assert (
        f"pack: built, {count}" in out
        and f"pack: up to date, {count}" in out
        and f"pack: {count} verified" in out
    )
    (work / "pack" / "centerface.onnx").write_bytes(b"")
    assert main(["verify", "pack"]) == 1
    assert "centerface.onnx has the wrong hash" in capsys.readouterr().err


def test_photos_are_fetched_once(work, fetcher, capsys):
    for said in ("photos: 3 photos fetched", "photos: up to date"):
        assert main(["photos", "--out", "photos", "--cache", str(fetcher.cache)]) == 0
        assert said in capsys.readouterr().out
    assert sorted(path.name for path in (work / "photos").iterdir()) == [
        "biden.jpg",
        "obama.jpg",
        "obama2.jpg",
    ]
    assert main(["specimen", "--portrait", "photos/obama.jpg", "--out", "card.png"]) == 0
    assert (work / "card.png").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["build", "--offline"], "--offline forbids to download it"),
        (["build", "--with", "fr-feature"], "--accept-licence fr-feature"),
        (["build", "--with", "nosuch"], "there is no weight 'nosuch'"),
        (["build", "--pack", "nosuch"], "there is no pack 'nosuch'"),
        (["build", "--from", "gone"], "there is no such folder"),
        (["verify", "gone"], "is no model pack"),
        (["card", "nosuch"], "there is no weight 'nosuch'"),
    ],
)
def test_a_fault_is_one_message_and_exit_code_1(work, capsys, arguments, message):
    assert main(arguments) == 1
    captured = capsys.readouterr()
    assert (
        captured.err.startswith("vultus_models: ")
        and message in captured.err
        and "Traceback" not in captured.err
    )
    assert not (work / "build" / "pack").exists()


def test_list_and_card_show_every_weight(capsys):
    assert main(["list"]) == 0
    assert main(["card"]) == 0
    assert main(["card", "sface"]) == 0
    out = capsys.readouterr().out
    assert (
        "fr-feature" in out
        and "--with --accept-licence" in out
        and "- licence of the weights: Apache-2.0, permissive" in out
    )
