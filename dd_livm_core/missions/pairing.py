"""Which infrared image belongs to which visible one: by folder and name, as drones write them."""

import hashlib
import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dd_livm_core.errors import InputError
from dd_livm_core.missions.pair_files import PairFiles
from dd_livm_core.missions.pairing_by_time import pair_by_order, pair_by_time, taken_at

ENDINGS = (".jpg", ".jpeg", ".tif", ".tiff", ".png")
INFRARED_FOLDER = re.compile(r"^(t|ir|infrared|thermal)(?:[_-](.+))?$", re.I)
VISIBLE_FOLDER = re.compile(r"^(v|w|vis|visible|rgb|wide)(?:[_-](.+))?$", re.I)
MARKED_NAME = re.compile(r"^(.*?)[_-](T|R|V|W|Z|IR|VIS|RGB|THRM|WIDE|ZOOM)$", re.I)
LEFT_BY_COMPUTERS = re.compile(r"(^|/)(\._|\.[^/.][^/]*/)")
"""Files that macOS leaves beside each one, and hidden folders."""
GLANCE_BYTES = 4096
INFRARED_MARKS = {"t", "r", "ir", "thrm"}
NOT_IN_ID = re.compile(r"[^A-Za-z0-9._-]+")

Modality = Literal["infrared", "visible"]
Files = dict[str, dict[Modality, list[Path]]]


@dataclass(frozen=True)
class PairingReport:
    """What a folder holds: pairs, and files left single with the reason."""

    pairs: tuple[PairFiles, ...]
    single: tuple[tuple[Path, str], ...]


def pair_folder(folder: Path) -> PairingReport:
    """Pair the images below a folder.

    Split folders (``T`` with ``V``, ``infrared`` with ``visible``; a suffix such as ``T_south`` pairs with
    ``V_south`` and becomes part of the id) and marked names in one folder (``DJI_0001_T`` with ``_V``, ``_W`` or
    ``_Z``, or without a mark where only infrared images have one) are understood. Where names do not match, images
    are paired by time; where no image has a time and both sides are equally many, by order. Links that leave the
    folder are not followed.

    Raises
    ------
    InputError
        There is no such folder.
    """
    root = folder.expanduser()
    if not root.is_dir():
        raise InputError("a folder of images", "none", root, "Check the path.")
    files, single = _sorted_out(root)
    pairs: list[PairFiles] = []
    left: dict[Modality, list[tuple[Path, str, str]]] = {"infrared": [], "visible": []}
    for pair_id, sides in sorted(files.items()):
        infrared, visible = sides["infrared"], sides["visible"]
        if len(infrared) == 1 and len(visible) >= 1:
            pairs.append(PairFiles(pair_id, infrared[0], visible[0]))
            single += [(path, f"a further visible image of {pair_id}") for path in visible[1:]]
        elif len(infrared) > 1:
            why = f"{len(infrared)} infrared images share the id {pair_id}"
            single += [(path, why) for path in (*infrared, *visible)]
        else:
            left["infrared"] += [(p, pair_id, f"no visible image for {pair_id}") for p in infrared]
            left["visible"] += [(p, pair_id, f"no infrared image for {pair_id}") for p in visible]
    more = _pair_left(left, by_order=not pairs)
    used = {path for pair in more for path in (pair.infrared, pair.visible)}
    single += [(p, why) for side in left.values() for p, _, why in side if p not in used]
    return _without_duplicates([*pairs, *more], single)


def _sorted_out(root: Path) -> tuple[Files, list[tuple[Path, str]]]:
    """Return the images by id and modality, and those that are none or whose modality nothing tells."""
    files: Files = defaultdict(lambda: {"infrared": [], "visible": []})
    single: list[tuple[Path, str]] = []
    unmarked: dict[Path, list[Path]] = defaultdict(list)
    marked: dict[Path, set[Modality]] = defaultdict(set)
    inside = root.resolve()
    for path, is_link in sorted(_images(root), key=lambda found: found[0].parts):
        if is_link and not path.resolve().is_relative_to(inside):
            single.append((path, "a link that leaves the folder"))
        elif LEFT_BY_COMPUTERS.search(path.relative_to(root).as_posix()):
            single.append((path, "a hidden file, as computers leave beside images"))
        elif (placed := _place(path, root)) is None:
            unmarked[path.parent].append(path)
        else:
            files[placed[0]][placed[1]].append(path)
            marked[path.parent].add(placed[1])
    for folder, paths in unmarked.items():
        if marked[folder] == {"infrared"}:  # as of cameras that mark only their infrared images
            for path in paths:
                parents = path.relative_to(root).parts[:-1]
                files[_pair_id([*parents, path.stem])]["visible"].append(path)
        else:
            single += [
                (p, "neither its folder nor its name says infrared or visible") for p in paths
            ]
    return files, single


def _images(root: Path) -> Iterator[tuple[Path, bool]]:
    """Yield the image files below a folder, and whether each is a link; linked folders are not followed."""
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(folder / entry.name)
                elif entry.name.lower().endswith(ENDINGS) and entry.is_file():
                    yield folder / entry.name, entry.is_symlink()


def _pair_left(
    left: dict[Modality, list[tuple[Path, str, str]]], *, by_order: bool
) -> list[PairFiles]:
    """Pair what names left single; by order only where names said nothing at all and nobody has a time."""
    ids = {path: pair_id for path, pair_id, _ in left["infrared"]}
    infrared, visible = ([path for path, _, _ in left[side]] for side in ("infrared", "visible"))
    if not infrared or not visible:
        return []
    found = [PairFiles(ids[a], a, b, "time") for a, b in pair_by_time(infrared, visible)]
    if found or not by_order or any(taken_at(path) for path in (*infrared, *visible)):
        return found
    return [PairFiles(ids[a], a, b, "order") for a, b in pair_by_order(infrared, visible)]


def _place(path: Path, root: Path) -> tuple[str, Modality] | None:
    """Return pair id and modality of a file, from its folder, else from its name."""
    stem = path.stem
    marked = MARKED_NAME.match(stem)
    bare = marked.group(1) if marked else stem
    parents = path.relative_to(root).parts[:-1]
    for depth in range(len(parents) - 1, -1, -1):
        for pattern, modality in ((INFRARED_FOLDER, "infrared"), (VISIBLE_FOLDER, "visible")):
            found = pattern.match(parents[depth])
            if found:
                others = [
                    *parents[:depth],
                    *([found.group(2)] if found.group(2) else []),
                    *parents[depth + 1 :],
                ]
                return _pair_id([*others, bare]), modality  # type: ignore[return-value]
    if marked:
        modality = "infrared" if marked.group(2).lower() in INFRARED_MARKS else "visible"
        return _pair_id([*parents, bare]), modality  # type: ignore[return-value]
    return None


def _pair_id(parts: list[str]) -> str:
    name = NOT_IN_ID.sub("-", "_".join(parts)).strip("-._") or "pair"
    if len(name) <= 64:
        return name
    return f"{name[:51]}-{hashlib.sha256('/'.join(parts).encode()).hexdigest()[:12]}"


def _without_duplicates(pairs: list[PairFiles], single: list[tuple[Path, str]]) -> PairingReport:
    """Set aside pairs whose infrared file repeats an earlier one byte for byte."""
    first: dict[str, PairFiles] = {}
    repeated: dict[PairFiles, PairFiles] = {}
    for pair in _maybe_alike(_maybe_alike(pairs, _size_b), _glance):
        with pair.infrared.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        if digest in first:
            repeated[pair] = first[digest]
        else:
            first[digest] = pair
    kept = tuple(pair for pair in pairs if pair not in repeated)
    single += [
        (again.infrared, f"the same content as {original.infrared.name}")
        for again, original in repeated.items()
    ]
    return PairingReport(kept, tuple(single))


def _maybe_alike(pairs: list[PairFiles], look: Callable[[Path], Hashable]) -> list[PairFiles]:
    """Return the pairs whose infrared file looks like another one's."""
    looks = [look(pair.infrared) for pair in pairs]
    counts = Counter(looks)
    return [pair for pair, seen in zip(pairs, looks, strict=True) if counts[seen] > 1]


def _size_b(path: Path) -> int:
    return path.stat().st_size


def _glance(path: Path) -> tuple[int, bytes]:
    """Return size, head and a piece from the middle: TIFF frames of one camera have one size and head."""
    size = _size_b(path)
    try:
        with path.open("rb") as stream:
            head = stream.read(GLANCE_BYTES)
            stream.seek(size // 2)
            return size, head + stream.read(GLANCE_BYTES)
    except OSError:  # named when it is to be taken
        return size, os.fsencode(path)
