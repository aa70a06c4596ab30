import re

import pytest
from vultus_models import card, manifest
from vultus_models.fault import Fault

KNOWN = manifest.load_all()
DEFAULT = [
    "blazeface-short",
    "blazeface-full",
    "centerface",
    "facemesh-468",
    "iris",
    "sface",
    "mobilefacenet",
    "minifasnet-v2",
    "minifasnet-v1se",
]


@pytest.mark.parametrize("weight", KNOWN.values(), ids=list(KNOWN))
def test_every_weight_is_pinned_and_described(weight):
    source = weight.source
    hashes = [source.file_sha256, weight.converted.sha256]
    if source.ecosystem in ("pypi", "npm"):
        assert source.package and source.version and source.archive_bytes > 0
        assert source.version in source.archive
        hashes.append(source.archive_sha256)
    for digest in hashes:
        assert re.fullmatch("[0-9a-f]{64}", digest)
    assert source.origin.startswith("https://") or (
        source.ecosystem == "project" and (manifest.DATA.parent / source.origin).is_dir()
    )
    assert weight.converted.bytes > 1000
    assert all(
        [
            weight.title,
            weight.training_data,
            weight.limits,
            weight.licence.spdx,
            weight.licence.statement,
            weight.outputs,
        ]
    )
    assert weight.input.shape[:2] == [1, 3]
    assert all(output.name and output.shape and output.meaning for output in weight.outputs)
    text = card.card(weight)
    assert weight.training_data in text and weight.converted.sha256 in text


def test_the_default_pack_is_permissive_and_comes_from_registries():
    plan = manifest.load_plan("default")
    assert [name for name in plan.models if KNOWN[name].source.ecosystem != "project"] == DEFAULT
    for name in plan.models:
        assert KNOWN[name].licence.use == "permissive"
        assert KNOWN[name].source.ecosystem != "file"


@pytest.mark.parametrize("name", ["default", "research"])
def test_a_pack_compares_weights_that_it_holds(name):
    plan = manifest.load_plan(name)
    assert {embedder.id for embedder in plan.embedders} <= set(plan.models)
    assert all(KNOWN[embedder.id].task == "embed" for embedder in plan.embedders)
    assert sum(embedder.share for embedder in plan.embedders) == pytest.approx(1)


def test_the_readme_shows_the_manifests():
    readme = (manifest.DATA / "README.md").read_text(encoding="utf-8")
    shown = readme.split("<!-- table -->\n")[1].split("<!-- end of table -->")[0]
    assert shown == card.table(KNOWN.values()), (
        "paste the output of `python -m vultus_models card` into README.md"
    )


def test_an_unknown_pack_names_the_known_ones():
    with pytest.raises(Fault, match="no pack 'nosuch'; known packs: default, research"):
        manifest.load_plan("nosuch")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            ('task = "pad"', 'task = "guess"'),
            "minifasnet-v2.toml.task: 'guess' is not one of detect-near",
        ),
        (('title = "', 'tittle = "'), "unknown key tittle; known are id, task"),
        (("[licence]\n", "[licence]\nholder = 1\n"), "licence: unknown key holder"),
        (
            ('spdx = "Apache-2.0"\n', ""),
            "licence: .*missing 1 required positional argument: 'spdx'",
        ),
        (("\nbytes = ", '\nbytes = "x" #'), "converted.bytes: 'x' is not of the type int"),
        (('id = "minifasnet-v2"', 'id = "other"'), "the id 'other' must be the file's name"),
        (("[source]", "[source"), "Expected"),
    ],
)
def test_a_faulty_manifest_is_refused(tmp_path, change, message):
    text = (manifest.DATA / "manifests" / "minifasnet-v2.toml").read_text(encoding="utf-8")
    assert change[0] in text
    (tmp_path / "minifasnet-v2.toml").write_text(text.replace(*change, 1), encoding="utf-8")
    with pytest.raises(Fault, match=message):
        manifest.load_all(tmp_path)
