"""Reads what the names of files and folders say: infrared or visible, a copy or not, and what is left to match by."""

import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal

from dd_livm_core.missions.image_search import RADIOMETRIC_ENDINGS

Modality = Literal["infrared", "visible"]
OTHER: dict[Modality, Modality] = {"infrared": "visible", "visible": "infrared"}
MARKS: dict[str, Modality] = {
    **dict.fromkeys(
        ("t", "r", "ir", "irx", "tir", "lwir", "thrm", "thermal", "infrared"), "infrared"
    ),
    **dict.fromkeys(
        ("v", "vis", "visible", "visual", "rgb", "eo", "max", "w", "wide", "z", "zoom"), "visible"
    ),
}
"""Of DJI (letters; THRM, WIDE, ZOOM of early H20T), Autel (IRX with MAX), and of those who rename files."""
NARROW_VIEWS = {"z", "zoom"}
"""Taken only where no wider visible image is there: they show a part of the infrared image."""
TOKEN = re.compile(r"[^_\-\s.()]+")
DJI_NUMBER = re.compile(r"(?:^|[_\-\s])DJI_(?:\d{14}_)?\d{1,6}_(?=[A-Za-z])", re.I)
"""Time and number of DJI's names. The mark stands right behind; what the pilot added (``fileSuffix``) comes later."""
COPY = re.compile(
    r"(?:\s*\(\d{1,3}\)|[\s_-]+(?:copy|copie|kopie|copia)(?:\s*\d{1,3})?|~\d{1,3})+$", re.I
)
"""What browsers and file managers add to the name of a second file."""
FOLDERS: dict[Modality, tuple[str, ...]] = {
    "infrared": ("t", "ir", "tir", "lwir", "thrm", "infrared", "thermal"),
    "visible": ("v", "w", "vis", "visible", "visual", "rgb", "eo", "wide"),
}
"""Words in the names of folders: at the beginning, or those of two letters or more at the end."""


@dataclass(frozen=True)
class NamedImage:
    """An image file, as its own name and those of its folders describe it.

    Attributes
    ----------
    parents
        Names of the folders from the mission's folder down to the file.
    bare
        The name without ending, mark and copy mark.
    copy
        Its copy mark, as `` (1)``, or nothing.
    mark
        Lower case, or None where the name has none.
    modality
        What the mark says, or else the ending of radiometric JPEG; None without either.
    """

    path: Path
    parents: tuple[str, ...]
    bare: str
    copy: str
    mark: str | None
    modality: Modality | None


def read_name(path: Path, root: Path) -> NamedImage:
    """Return what the name of an image below ``root`` says."""
    copied = COPY.search(path.stem)
    copy = copied.group() if copied else ""
    stem = path.stem.removesuffix(copy)
    parents = path.relative_to(root).parts[:-1]
    found = _find_mark(stem)
    if found is None:
        by_ending: Modality | None = (
            "infrared" if path.suffix.lower() in RADIOMETRIC_ENDINGS else None
        )
        return NamedImage(path, parents, stem, copy, None, by_ending)
    before = stem[: found.start()]
    if before.lower().endswith(("raw_", "raw-")):
        before = before[:-4]
    bare = before[:-1] + stem[found.end() :] if before else stem[found.end() + 1 :]
    mark = found.group().lower()
    return NamedImage(path, parents, bare, copy, mark, MARKS[mark])


def folder_modality(name: str) -> tuple[Modality, str] | None:
    """Return what a folder's name says, with the rest of it (``south`` of ``T_south`` or ``south_thermal``), or None.

    A name with words of both kinds, as ``thermal_rgb``, says nothing.
    """
    first, *others = words = re.split(r"[_\-\s]+", name.lower())
    found: list[tuple[Modality, str]] = []
    for modality, known in FOLDERS.items():
        if first in known:
            found.append((modality, name[len(first) + 1 :]))
        elif others and len(words[-1]) > 1 and words[-1] in known:
            found.append((modality, name[: -len(words[-1]) - 1]))
    return found[0] if len(found) == 1 else None


def _find_mark(stem: str) -> re.Match[str] | None:
    """Return the place of a name's mark, or None without one.

    It is the one behind DJI's number; else behind the last number; else at the end; else the word (of two letters or
    more, as ``IRX``) that stands anywhere, unless words contradict each other.
    """
    number = DJI_NUMBER.search(stem)
    if number:
        token = TOKEN.match(stem, number.end())
        if token and token.group().lower() in MARKS:
            return token
    tokens = list(TOKEN.finditer(stem))
    marks = [token for token in tokens if token.group().lower() in MARKS]
    behind = [b for a, b in pairwise(tokens) if a.group().isdigit() and b in marks]
    if behind:
        return behind[-1]
    if marks and marks[-1] is tokens[-1] and len(tokens) > 1:
        return marks[-1]
    words = [token for token in marks if len(token.group()) > 1]
    said = {MARKS[token.group().lower()] for token in words}
    return words[0] if len(said) == 1 and len(tokens) > 1 else None
