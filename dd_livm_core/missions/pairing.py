"""Finds which infrared image belongs to which visible one, by folders and names as drones write them."""

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
MARKED_NAME = re.compile(r"^(.*?)[_-](T|R|V|W|Z|IR|VIS|RGB|THRM|WIDE|ZOOM)$", re.I)
LEFT_BY_COMPUTERS = re.compile(r"(^|/)(\._|\.[^/.][^/]*/)")
"""Files that macOS leaves beside each one, and hidden folders."""
SAMPLE_BYTES = 4096
"""Read from two places of a file before it is hashed whole: one page of memory each."""
MAX_ID_CHARACTERS = 64
"""As `Identifier` allows; a longer id keeps its beginning and ends in a hash of the whole."""
INFRARED_MARKS = {"t", "r", "ir", "thrm"}
NOT_IN_ID = re.compile(r"[^A-Za-z0-9._-]+")

Modality = Literal["infrared", "visible"]
Files = dict[str, dict[Modality, list[Path]]]
"""Pair id → modality → files, in the order of their paths."""
Unpaired = dict[Modality, dict[Path, str]]
"""Modality → file whose name matches none of the other modality → the id that its name gives."""
OTHER: dict[Modality, Modality] = {"infrared": "visible", "visible": "infrared"}
FOLDERS: dict[Modality, re.Pattern[str]] = {
    "infrared": re.compile(r"^(t|ir|infrared|thermal)(?:[_-](.+))?$", re.I),
    "visible": re.compile(r"^(v|w|vis|visible|rgb|wide)(?:[_-](.+))?$", re.I),
}


@dataclass(frozen=True)
class PairingReport:
    """What a folder holds: pairs, and the files in none with the reason; every image is in one of the two."""

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
    files, single = _group_by_id(root)
    pairs, unpaired, more_single = _pair_by_name(files)
    more = _pair_by_time_or_order(unpaired, by_order=not pairs)
    used = {path for pair in more for path in (pair.infrared, pair.visible)}
    single += more_single
    single += [
        (path, f"no {OTHER[side]} image for {pair_id}")
        for side, ids in unpaired.items()
        for path, pair_id in ids.items()
        if path not in used
    ]
    return _set_duplicates_aside([*pairs, *more], single)


def _pair_by_name(files: Files) -> tuple[list[PairFiles], Unpaired, list[tuple[Path, str]]]:
    """Return the pairs of one id, the files without a partner, and with a reason those too many for a pair."""
    pairs: list[PairFiles] = []
    unpaired: Unpaired = {"infrared": {}, "visible": {}}
    single: list[tuple[Path, str]] = []
    for pair_id, sides in sorted(files.items()):
        infrared, visible = sides["infrared"], sides["visible"]
        if len(infrared) == 1 and len(visible) >= 1:
            pairs.append(PairFiles(pair_id, infrared[0], visible[0]))
            single += [(path, f"a further visible image of {pair_id}") for path in visible[1:]]
        elif len(infrared) > 1:
            why = f"{len(infrared)} infrared images share the id {pair_id}"
            single += [(path, why) for path in (*infrared, *visible)]
        else:
            for side, paths in sides.items():
                unpaired[side] |= dict.fromkeys(paths, pair_id)
    return pairs, unpaired, single


def _group_by_id(root: Path) -> tuple[Files, list[tuple[Path, str]]]:
    """Return the images by id and modality, and with a reason those that are left out."""
    files: Files = defaultdict(lambda: {"infrared": [], "visible": []})
    single: list[tuple[Path, str]] = []
    unmarked: dict[Path, list[Path]] = defaultdict(list)
    modalities: dict[Path, set[Modality]] = defaultdict(set)
    inside = root.resolve()
    for path, is_link in sorted(_images(root), key=lambda found: found[0].parts):
        if is_link and not path.resolve().is_relative_to(inside):
            single.append((path, "a link that leaves the folder"))
        elif LEFT_BY_COMPUTERS.search(path.relative_to(root).as_posix()):
            single.append((path, "a hidden file, as computers leave beside images"))
        elif (found := _id_and_modality(path, root)) is None:
            unmarked[path.parent].append(path)
        else:
            pair_id, modality = found
            files[pair_id][modality].append(path)
            modalities[path.parent].add(modality)
    for folder, paths in unmarked.items():
        if modalities[folder] == {"infrared"}:  # as of cameras that mark only their infrared images
            for path in paths:
                parents = path.relative_to(root).parts[:-1]
                files[_pair_id([*parents, path.stem])]["visible"].append(path)
        else:
            why = "neither its folder nor its name says infrared or visible"
            single += [(path, why) for path in paths]
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


def _pair_by_time_or_order(unpaired: Unpaired, *, by_order: bool) -> list[PairFiles]:
    """Pair by time the files that names left over; by order where that is allowed and no file has a time."""
    ids = unpaired["infrared"]
    infrared, visible = list(ids), list(unpaired["visible"])
    if not infrared or not visible:
        return []
    found = [PairFiles(ids[a], a, b, "time") for a, b in pair_by_time(infrared, visible)]
    if found or not by_order or any(taken_at(path) for path in (*infrared, *visible)):
        return found
    return [PairFiles(ids[a], a, b, "order") for a, b in pair_by_order(infrared, visible)]


def _id_and_modality(path: Path, root: Path) -> tuple[str, Modality] | None:
    """Return pair id and modality of a file: of its folders the nearest that says one, else its name; else None."""
    marked = MARKED_NAME.match(path.stem)
    bare = marked.group(1) if marked else path.stem
    parents = path.relative_to(root).parts[:-1]
    for depth in range(len(parents) - 1, -1, -1):
        for modality, pattern in FOLDERS.items():
            found = pattern.match(parents[depth])
            if found:
                suffix = [found.group(2)] if found.group(2) else []
                return _pair_id([*parents[:depth], *suffix, *parents[depth + 1 :], bare]), modality
    if marked:
        infrared = marked.group(2).lower() in INFRARED_MARKS
        return _pair_id([*parents, bare]), "infrared" if infrared else "visible"
    return None


def _pair_id(parts: list[str]) -> str:
    """Return folders and name as one identifier that is safe as a file name."""
    name = NOT_IN_ID.sub("-", "_".join(parts)).strip("-._") or "pair"
    if len(name) <= MAX_ID_CHARACTERS:
        return name
    return f"{name[: MAX_ID_CHARACTERS - 13]}-{hashlib.sha256('/'.join(parts).encode()).hexdigest()[:12]}"


def _set_duplicates_aside(pairs: list[PairFiles], single: list[tuple[Path, str]]) -> PairingReport:
    """Report the pairs, and as single those whose infrared file repeats an earlier one byte for byte."""
    first: dict[str, PairFiles] = {}
    repeated: dict[PairFiles, PairFiles] = {}
    for pair in _keep_alike(_keep_alike(pairs, _size_b), _sample):
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


def _keep_alike(pairs: list[PairFiles], key: Callable[[Path], Hashable]) -> list[PairFiles]:
    """Return the pairs whose infrared file has the same key as another one's."""
    keys = [key(pair.infrared) for pair in pairs]
    counts = Counter(keys)
    return [pair for pair, found in zip(pairs, keys, strict=True) if counts[found] > 1]


def _size_b(path: Path) -> int:
    return path.stat().st_size


def _sample(path: Path) -> tuple[int, bytes]:
    """Return size, head and a piece of the middle: TIFF frames of one camera share size and head."""
    size = _size_b(path)
    try:
        with path.open("rb") as stream:
            head = stream.read(SAMPLE_BYTES)
            stream.seek(size // 2)
            return size, head + stream.read(SAMPLE_BYTES)
    except OSError:  # like no other file here; taking it in reports why it cannot be read
        return size, os.fsencode(path)
