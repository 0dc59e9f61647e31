"""Puts a finished inspection where the user wants it, never in the place of another flight's."""

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dd_livm_core.errors import InputError

FINDINGS = "findings.json"
IMAGES = "images"
"""Key of the SHA-256 of all inspected infrared files: by them a flight is known again."""


@dataclass(frozen=True)
class PlacedReport:
    """Where a report lies now, and whether it took the place of an earlier one of the same flight."""

    folder: Path
    replaced: bool


def place_report(stored: Path, destination: Path, *, named_by_user: bool) -> PlacedReport:
    """Copy a stored inspection to a folder, replacing an earlier inspection of the same flight that lies there.

    Where another flight's lies there, a folder that the user did not name gets a number: ``monday-2`` and so on.

    Raises
    ------
    InputError
        The folder is the user's choice and holds another flight's inspection, or any folder holds something else.
    """
    content = _read_findings(stored)
    folder, number = destination, 1
    while not _is_free(folder) and not _is_same_flight(_read_findings(folder), content):
        if named_by_user:
            raise InputError(
                "an empty folder or an earlier inspection of these images",
                "an inspection of other images",
                folder,
                "Give another folder with --output, or move that one away.",
            )
        number += 1
        folder = destination.with_name(f"{destination.name}-{number}")
    replaced = not _is_free(folder)
    _copy_whole(stored, folder)
    return PlacedReport(folder, replaced)


def _is_free(folder: Path) -> bool:
    """Return whether nothing lies at a path, or an empty folder.

    Raises
    ------
    InputError
        A file lies there, or a folder that holds no inspection.
    """
    if not folder.exists():
        return True
    found = "a file" if not folder.is_dir() else "other files"
    if folder.is_dir() and not any(folder.iterdir()):
        return True
    if not (folder / FINDINGS).exists():
        raise InputError(
            "an empty folder or an earlier inspection",
            found,
            folder,
            "Give another folder with --output.",
        )
    return False


def _read_findings(folder: Path) -> dict[str, Any]:
    """Return what an inspection says of itself; nothing where its file is broken."""
    try:
        content = json.loads((folder / FINDINGS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _is_same_flight(earlier: dict[str, Any], now: dict[str, Any]) -> bool:
    """Return whether two inspections share an image; of older ones, which name none, whether they share the folder."""
    if IMAGES in earlier:
        return not set(earlier[IMAGES]).isdisjoint(now[IMAGES])
    return bool(earlier) and earlier.get("source") == now.get("source")


def _copy_whole(stored: Path, folder: Path) -> None:
    """Copy a folder in one move; what lies at its place goes only when the copy is whole."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.copytree(stored, unfinished)
    if not folder.exists():
        unfinished.replace(folder)
        return
    former = folder.with_name(f".{folder.name}.{os.getpid()}.former")
    folder.replace(former)
    unfinished.replace(folder)
    shutil.rmtree(former)
