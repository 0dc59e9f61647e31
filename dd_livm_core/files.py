"""Files written whole or not at all."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a hidden name beside ``path`` to write to; the finished file then takes its place in one move.

    A block that fails leaves ``path`` as it was and nothing else; a killed process leaves the hidden file only,
    ``.<name>.<process>.tmp``.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield unfinished
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """Write a text file in UTF-8, whole or not at all."""
    with atomic(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


def write_json(path: Path, content: object) -> None:
    """Write JSON, one value a line, whole or not at all."""
    write_text(path, json.dumps(content, indent=1) + "\n")
