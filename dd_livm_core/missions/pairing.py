"""Finds which infrared image belongs to which visible one, and which is alone, by folders and names of drones."""

import filecmp
import hashlib
import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from dd_livm_core.errors import InputError
from dd_livm_core.missions.image_modality import find_photographs, settle_modalities
from dd_livm_core.missions.image_names import (
    NARROW_VIEWS,
    Modality,
    NamedImage,
    folder_modality,
    read_name,
)
from dd_livm_core.missions.image_search import ENDINGS, Single, find_images
from dd_livm_core.missions.pair_files import PairFiles
from dd_livm_core.missions.pairing_by_number import match_by_number
from dd_livm_core.missions.pairing_by_time import pair_views, read_head_metadata

SAMPLE_BYTES = 4096
"""Read from two places of a file before it is hashed whole: one page of memory each."""
MAX_ID_CHARACTERS = 64
"""As `Identifier` allows; a longer id keeps its beginning and ends in a hash of the whole."""
PHOTOGRAPH = "no image belongs to it, and by its content it is a photograph"
NOT_IN_ID = re.compile(r"[^A-Za-z0-9._-]+")
Key = tuple[str, ...]
"""Folders and name that the two files of a pair share."""
Keyed = tuple[NamedImage, Key]


@dataclass(frozen=True)
class PairingReport:
    """What a folder holds: pairs and infrared images alone, and every other file with the reason."""

    pairs: tuple[PairFiles, ...]
    single: tuple[tuple[Path, str], ...]


def pair_folder(folder: Path) -> PairingReport:
    """Pair the images below a folder.

    Split folders (``T`` with ``V``, ``infrared`` with ``visible``; a suffix such as ``T_south`` pairs with
    ``V_south`` and becomes part of the id) and marked names in one folder (``DJI_0001_T`` with ``_V``, ``_W`` or
    ``_Z``, or without a mark where only infrared images have one) are understood; marks count wherever they stand, and
    before folders. Where names do not match, images are paired by time; where no image has a time and both sides are
    equally many, by order; both are held against the images' positions. An infrared image that no visible one belongs
    to is alone, unless by its content it is a photograph. Links are not followed out of the folder.

    Raises
    ------
    InputError
        There is no such folder.
    """
    root = folder.expanduser()
    if not root.is_dir():
        raise InputError("a folder of images", "none", root, "Check the path.")
    metadata_of = cache(read_head_metadata)
    paths, single = find_images(root)
    named, copies = _set_copies_aside([read_name(path, root) for path in paths])
    settled, unsettled = settle_modalities(named, metadata_of)
    keyed = [(image, _key(image, depth)) for image, depth in settled]
    matched, left, ambiguous = _match_by_name(keyed)
    by_number, left, further = match_by_number(left, _lax_key)
    matched += by_number
    of_pairs = [key for _, _, key in matched]
    ids = _unique_ids([*of_pairs, *(key for _, key in left)]) | _unique_ids(of_pairs)
    pairs = [PairFiles(ids[key], a.path, b.path) for a, b, key in matched]
    infrared, visible = (
        {image.path: ids[key] for image, key in left if image.modality == side}
        for side in ("infrared", "visible")
    )
    zoomed = {
        image.path: visible.pop(image.path) for image, _ in left if image.mark in NARROW_VIEWS
    }
    more, refused = pair_views(infrared, (visible, zoomed), metadata_of, by_order=not pairs)
    used = {path for pair in more for path in pair.paths}
    lone = [image for image, _ in left if image.path in infrared.keys() - used]
    photographs = find_photographs(lone, metadata_of)
    alone = [
        PairFiles(pair_id, path, None, paired_by=None)
        for path, pair_id in sorted(infrared.items(), key=lambda item: item[1])
        if path not in used | photographs
    ]
    single += [*copies, *unsettled, *ambiguous, *further, *refused]
    single += [
        (path, f"no infrared image for {pair_id}")
        for path, pair_id in {**visible, **zoomed}.items()
        if path not in used | {path for path, _ in refused}
    ]
    single += [(path, PHOTOGRAPH) for path in sorted(photographs)]
    return _set_duplicates_aside(
        [*sorted(pairs, key=lambda pair: pair.pair_id), *more, *alone], single
    )


def _set_copies_aside(images: Sequence[NamedImage]) -> tuple[list[NamedImage], Single]:
    """Return the images without those that copy another: the same bytes as ``(1)``, or the same name converted."""
    plain = {(image.path.parent, image.path.name): image.path for image in images}
    best: dict[tuple[Path, str, Modality | None], Path] = {}
    for image in sorted(images, key=lambda image: _ending_rank(image.path)):
        best.setdefault((image.path.parent, image.path.stem, image.modality), image.path)
    kept: list[NamedImage] = []
    single: Single = []
    for image in images:
        path = image.path
        stem = path.stem.removesuffix(image.copy)
        original = plain.get((path.parent, stem + path.suffix)) if image.copy else None
        first = best[path.parent, path.stem, image.modality]
        if original is not None and has_same_content(path, original):
            single.append((path, f"the same content as {original.name}"))
        elif first != path:
            why = f"a copy of {first.name} in another format; to use it, take {first.name} out"
            single.append((path, why))
        else:
            kept.append(image)
    return kept, single


def _ending_rank(path: Path) -> int:
    """Return the place of a file's ending in `ENDINGS`: cameras write JPEG, the others are mostly converted."""
    return ENDINGS.index(path.suffix.lower())


def has_same_content(path: Path, other: Path) -> bool:
    """Return whether two files hold the same bytes; unreadable ones do not."""
    try:
        return filecmp.cmp(path, other, shallow=False)
    except OSError:
        return False


def _key(image: NamedImage, depth: int | None) -> Key:
    """Return folders and name of an image without what says its modality; ``depth`` is of the folder that does."""
    parents = list(image.parents)
    if depth is not None:
        found = folder_modality(parents[depth])
        parents[depth : depth + 1] = [found[1]] if found and found[1] else []
    return (*parents, image.bare + image.copy)


def _match_by_name(
    keyed: Sequence[Keyed],
) -> tuple[list[tuple[NamedImage, NamedImage, Key]], list[Keyed], Single]:
    """Return (infrared, visible, key) by equal names, the images left over, and visible ones too many for a pair.

    Names are compared as they are, then without copy marks, letter case, odd characters and folders of a modality.
    Several infrared images of one name are left over, and the visible ones of that name too many.
    """
    matched: list[tuple[NamedImage, NamedImage, Key]] = []
    shared: list[Keyed] = []
    single: Single = []
    left = list(keyed)
    for key_of in (lambda image, key: key, lambda image, key: _lax_key(image)):
        groups: dict[Key, list[Keyed]] = defaultdict(list)
        for image, key in left:
            groups[key_of(image, key)].append((image, key))
        left = []
        for group in groups.values():
            infrared = [item for item in group if item[0].modality == "infrared"]
            visible = sorted(
                (item[0] for item in group if item[0].modality == "visible"),
                key=lambda image: (image.mark in NARROW_VIEWS, image.mark or "zz", image.path),
            )
            if not infrared or not visible:
                left += group
            elif len(infrared) > 1:
                name = "/".join(infrared[0][1])
                why = f"{len(infrared)} infrared images share the name {name}"
                shared += infrared
                single += [(image.path, why) for image in visible]
            else:
                image, key = infrared[0]
                matched.append((image, visible[0], key))
                single += [
                    (further.path, f"a further visible image of {image.path.name}")
                    for further in visible[1:]
                ]
    return matched, _tell_keys_apart([*left, *shared]), single


def _tell_keys_apart(images: Sequence[Keyed]) -> list[Keyed]:
    """Return images with their keys; infrared ones that share a key have their whole path as key."""
    counts = Counter(key for image, key in images if image.modality == "infrared")
    return [
        (image, key if counts[key] <= 1 else (*image.parents, image.path.stem))
        for image, key in images
    ]


def _lax_key(image: NamedImage) -> Key:
    """Return folders and name without copy mark, odd characters and letter case, less a folder of a modality.

    It is the nearest one of the image's own, else of the other.
    """
    parents = list(image.parents)
    said = [
        (depth, found) for depth, name in enumerate(parents) if (found := folder_modality(name))
    ]
    said.sort(key=lambda item: (item[1][0] == image.modality, item[0]))
    if said:
        depth, (_, rest) = said[-1]
        parents[depth : depth + 1] = [rest] if rest else []
    return tuple(re.sub(r"[\W_]+", "-", part).casefold() for part in (*parents, image.bare))


def _unique_ids(keys: Iterable[Key]) -> dict[Key, str]:
    """Return an identifier for each key; of keys that give the same, each is told apart by a hash of it."""
    ids = {key: _pair_id(key) for key in keys}
    counts = Counter(pair_id.casefold() for pair_id in ids.values())
    return {
        key: pair_id
        if counts[pair_id.casefold()] == 1
        else f"{pair_id[: MAX_ID_CHARACTERS - 9]}-{_hash('/'.join(key))[:8]}"
        for key, pair_id in ids.items()
    }


def _pair_id(parts: Key) -> str:
    """Return folders and name as one identifier that is safe as a file name.

    A part of which nothing would be left, as a name in Chinese, is replaced by a hash of it.
    """
    safe = [NOT_IN_ID.sub("-", part) for part in parts]
    words = [s if s.strip("-._") else _hash(part)[:8] for s, part in zip(safe, parts, strict=True)]
    name = "_".join(words).strip("-._")
    if len(name) <= MAX_ID_CHARACTERS:
        return name
    return f"{name[: MAX_ID_CHARACTERS - 13]}-{_hash('/'.join(parts))[:12]}"


def _hash(text: str) -> str:
    """Return SHA-256 of a text, hexadecimal; names of files may hold what is no text."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _set_duplicates_aside(pairs: list[PairFiles], single: list[tuple[Path, str]]) -> PairingReport:
    """Report the pairs, and as single those whose infrared file repeats an earlier one byte for byte."""
    first: dict[str, PairFiles] = {}
    repeated: dict[PairFiles, PairFiles] = {}
    for pair in _keep_alike(_keep_alike(pairs, _size_b), sample_content):
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


def sample_content(path: Path) -> tuple[int, bytes]:
    """Return size, head and a piece of the middle: TIFF frames of one camera share size and head."""
    size = _size_b(path)
    try:
        with path.open("rb") as stream:
            head = stream.read(SAMPLE_BYTES)
            stream.seek(size // 2)
            return size, head + stream.read(SAMPLE_BYTES)
    except OSError:  # like no other file here; taking it in reports why it cannot be read
        return size, os.fsencode(path)
