"""Writes what an evaluation counted as a record that `vultus-datasets table` shows, with where and
how it was made.
"""

from __future__ import annotations

import datetime
import json
import os
import pathlib
import platform
import re
import sys

import vultus


def write(out: pathlib.Path, pack: pathlib.Path | None, what: str, figures: dict) -> None:
    """Writes `figures`, whose `kind` the workbench knows, of the set `what`; without `pack` it is
    the one in the wheel.
    """
    held = json.loads((pack or vultus.DEFAULT_PACK).joinpath("pack.json").read_text())
    cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    origin = {
        "command": [pathlib.Path(sys.argv[0]).name, *sys.argv[1:]],
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "machine": (
            f"{cpu[1] if cpu else platform.processor()}, {os.cpu_count()} logical cores, linux"
            f" {platform.machine()}"
        ),
        "version": vultus.__version__,
    }
    weights = [{"id": model["id"], "sha256": model["sha256"]} for model in held["models"]]
    text = {
        "origin": origin,
        "pack": f"{held['name']} {held['version']}",
        "weights": weights,
        "set": what,
        "findings": 0,
        "figures": figures,
    }
    out.write_text(json.dumps(text, indent=2) + "\n")
