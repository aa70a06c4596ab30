"""Model cards in Markdown, made of the manifests alone."""

from collections.abc import Iterable

from vultus_models.manifest import Manifest


def _source(manifest: Manifest) -> str:
    source = manifest.source
    if source.ecosystem == "file":
        return f"file brought by you, [upstream]({source.origin})"
    if source.ecosystem == "project":
        return "trained in this repository"
    return (
        f"{'PyPI' if source.ecosystem == 'pypi' else 'npm'} {source.package} {source.version},"
        f" [upstream]({source.origin})"
    )


def table(manifests: Iterable[Manifest]) -> str:
    """Returns the table of all weights."""
    lines = [
        "| id | task | source | licence of the weights | training data | known limits | figures |",
        "|---|---|---|---|---|---|---|",
    ]
    for m in manifests:
        licence = f"{m.licence.spdx} ({m.licence.use})"
        limits = "; ".join(m.limits)
        lines.append(
            f"| `{m.id}` | {m.task} | {_source(m)} | {licence} | {m.training_data} | {limits} |"
            f" {'; '.join(m.measured)} |"
        )
    return "\n".join(lines) + "\n"


def card(m: Manifest) -> str:
    """Returns the card of one weight."""
    shape = "x".join(map(str, m.input.shape))
    scaling = f"x * {m.input.scale:g} + {m.input.offset:g}"
    lines = [
        f"# {m.title}",
        "",
        f"- id: `{m.id}`, task: {m.task}",
        f"- source: {_source(m)}, file `{m.source.file}`, sha256 `{m.source.file_sha256}`",
        f"- in the pack: `{m.file}`, {m.converted.bytes} bytes, sha256 `{m.converted.sha256}`",
        f"- licence of the weights: {m.licence.spdx}, {m.licence.use}: {m.licence.statement}",
        f"- training data: {m.training_data}",
        (
            f"- input `{m.input.name}` {shape}, {m.input.colour.upper()}, {scaling} for x in"
            f" 0..255: {m.input.meaning}"
        ),
    ]
    lines += [f"- output `{o.name}` {'x'.join(map(str, o.shape))}: {o.meaning}" for o in m.outputs]
    lines += [f"- limit: {limit}" for limit in m.limits]
    lines += [f"- measured: {figure}" for figure in m.measured]
    return "\n".join(lines) + "\n"
