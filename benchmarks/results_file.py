"""The one form in which every benchmark leaves its result."""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


def commit() -> str:
    """Return the commit that was measured, marked when the tree held changes."""
    where = Path(__file__).parent

    def git(*arguments: str) -> str:
        run = subprocess.run(
            ["git", *arguments], cwd=where, capture_output=True, encoding="utf-8", errors="replace"
        )
        return run.stdout.strip()

    return (git("rev-parse", "HEAD") or "unknown") + (
        " with changes"
        if git("status", "--porcelain", "--untracked-files=no", "--", "../*.py", "..", ":!results")
        else ""
    )


def machine() -> str:
    """Return processor, cores and Python, in words."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [
            line.split(":", 1)[1].strip()
            for line in cpuinfo.read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ]
        model = names[0] if names else model
    return (
        f"{model}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
    )


def write_result(
    name: str,
    *,
    seeds: Sequence[int],
    figures: Mapping[str, float | int | str | None],
    arms: Mapping[str, Mapping[str, object]],
) -> Path:
    """Write ``benchmarks/results/<name>.json`` atomically and return its path."""
    RESULTS.mkdir(exist_ok=True)
    result = {
        "command": " ".join(["python", "-m", f"benchmarks.{name}", *sys.argv[1:]]),
        "commit": commit(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "seeds": list(seeds),
        "figures": dict(figures),
        "arms": {arm: dict(values) for arm, values in arms.items()},
    }
    target = RESULTS / f"{name}.json"
    temporary = target.with_suffix(".json.tmp")
    temporary.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    temporary.replace(target)
    return target
