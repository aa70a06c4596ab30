"""Draws a record of `run.py` as an SVG: for every task the median time of each engine, relative to
the best peer.
"""

import argparse
import json
from html import escape
from pathlib import Path
from typing import Any

LABELS, BARS, ROW, GAP = 250, 420, 17, 34
OURS, PEER, ASIDE = "#0b7285", "#adb5bd", "#dee2e6"


def draw(record: dict[str, Any]) -> str:
    parts, y = [], 58
    for name, task in record["tasks"].items():
        rows = {
            engine: row["median_ms"]
            for engine, row in task["engines"].items()
            if "median_ms" in row
        }
        best = rows.get(task["ratios"].get("best_peer", ""), min(rows.values()))
        widest = 3.0 * best
        parts.append(f'<text x="0" y="{y}" class="name">{escape(name)}</text>')
        for engine, ms in sorted(rows.items(), key=lambda row: row[1]):
            y += ROW
            colour = (
                OURS if engine.startswith("vultus") else ASIDE if engine.endswith("bf16") else PEER
            )
            width, cut = BARS * min(ms, widest) / widest, " &#8230;" if ms > widest else ""
            parts.append(
                f'<text x="{LABELS - 8}" y="{y}" text-anchor="end">{escape(engine)}</text>'
            )
            parts.append(
                f'<rect x="{LABELS}" y="{y - 11}" width="{width:.1f}" height="13" fill="{colour}"/>'
            )
            parts.append(
                f'<text x="{LABELS + width + 6:.1f}" y="{y}">{ms:.3g} ms,'
                f" {ms / best:.2f}{cut}</text>"
            )
        y += GAP
    cpu = record["machine"]
    head = (
        f"Median time of one run, one thread, {record['date']}, {cpu['cpu']}"
        f" ({', '.join(cpu['flags'])})"
    )
    style = "text{font:12px sans-serif;fill:#212529}.name{font-weight:bold}.head{font-size:14px}"
    size = f'width="{LABELS + BARS + 150}" height="{y}"'
    return "\n".join(
        [
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" {size}'
                f' role="img"><title>{escape(head)}</title><style>{style}</style>'
            ),
            '<rect width="100%" height="100%" fill="white"/>',
            f'<text x="0" y="16" class="head">{escape(head)}</text>',
            (
                '<text x="0" y="34">Bars are relative to the best peer (1.00); shorter is faster.'
                " Beyond 3 they are cut.</text>"
            ),
            *parts,
            "</svg>\n",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("record", type=Path)
    args = parser.parse_args()
    target = args.record.with_suffix(".svg")
    target.write_text(draw(json.loads(args.record.read_text())))
    print(target)


if __name__ == "__main__":
    main()
