"""Reads and writes label sets of labelling tools: one file, or a folder of them."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dd_livm_core.camera_files.frames import ImageFrame
from dd_livm_core.errors import InputError
from dd_livm_core.files import decode_text
from dd_livm_core.labels.coco import MAX_COCO_BYTES, coco_of, write_labels
from dd_livm_core.labels.entry import Entry, SetAside, place_labels
from dd_livm_core.labels.image_names import ImageNames
from dd_livm_core.labels.label import Label
from dd_livm_core.labels.label_files import read_label_text
from dd_livm_core.labels.labelme import labelme_entry
from dd_livm_core.labels.voc import write_voc, xml_entries
from dd_livm_core.labels.yolo import (
    CLASS_LISTS,
    CLASS_YAMLS,
    is_yolo,
    read_yolo_classes,
    write_yolo,
    yolo_entry,
)
from dd_livm_core.records import LabelFormat

TODO = (
    "Give a COCO file (.json) or CVAT's (.xml), or a folder of YOLO (.txt), of Pascal VOC (.xml), or of COCO or "
    "labelme files (.json)."
)
LABEL_ENDINGS = (".txt", ".xml", ".json")


@dataclass(frozen=True)
class LabelSet:
    """What a label set gives for a mission.

    Attributes
    ----------
    labels
        By pair id, in pixels of the images' rasters.
    unmatched
        Entries that belong to no image of the mission.
    set_aside
        Labels and files that cannot be used, each with its reason.
    """

    labels: dict[str, list[Label]]
    unmatched: tuple[Entry, ...] = ()
    set_aside: tuple[SetAside, ...] = ()


def read_label_set(
    path: Path, images: ImageNames, frame_of: Callable[[str], ImageFrame]
) -> LabelSet:
    """Return the labels of a file, or of a folder of label files, in pixels of the images' rasters.

    An image without an entry is not in the result: it is not labelled. One without defects has an empty list. Where
    none of an image's labels can be used, the image stays unlabelled.

    Parameters
    ----------
    frame_of
        Returns the sizes of a pair's labelled image, by pair id.

    Raises
    ------
    InputError
        There are no labels, they are of two formats, or the classes of YOLO's numbers are not told.
    """
    entries, aside = _read_entries(path, images)
    by_pair: dict[str, list[Entry]] = {}
    unmatched: list[Entry] = []
    for entry in entries:
        found = {pair_id for pair_id in (images.find([n]) for n in entry.image_names) if pair_id}
        if len(found) > 1:
            both = " and ".join(sorted(found))
            reason = f"expected one image, found the names of two: {both}"
            aside.append(SetAside(entry.name, reason))
        elif found:
            by_pair.setdefault(found.pop(), []).append(entry)
        else:
            unmatched.append(entry)
    labels: dict[str, list[Label]] = {}
    for pair_id, of_pair in by_pair.items():
        try:
            placed, broken = _place_all(pair_id, of_pair, frame_of(pair_id))
        except InputError as error:
            aside.append(SetAside(of_pair[0].name, str(error)))
            continue
        aside += broken
        if placed or not broken:
            labels[pair_id] = placed
    return LabelSet(labels, tuple(unmatched), tuple(aside))


def write_label_set(
    kind: LabelFormat,
    destination: Path,
    labels: Mapping[str, Sequence[Label]],
    files: Mapping[str, str],
    sizes_px: Mapping[str, tuple[int, int]],
) -> None:
    """Write labels: COCO into one file, the other formats into a folder of files.

    Parameters
    ----------
    labels, files, sizes_px
        By pair id: the labels, the image's file name, and its (width, height) in pixels.
    """
    if kind == "coco":
        destination.parent.mkdir(parents=True, exist_ok=True)
        write_labels(destination, labels, files, sizes_px)
    elif kind == "yolo":
        write_yolo(destination, labels, sizes_px)
    else:
        write_voc(destination, labels, files, sizes_px)


def _place_all(
    pair_id: str, entries: Sequence[Entry], frame: ImageFrame
) -> tuple[list[Label], list[SetAside]]:
    """Return the labels of one image, and what cannot be used; entries that differ are all set aside."""
    placed = [place_labels(entry, frame) for entry in entries]
    if all(labels == placed[0][0] for labels, _ in placed):
        return placed[0]
    names = ", ".join(entry.name for entry in entries)
    reason = (
        f"expected one entry for {pair_id}, found {len(entries)} that differ ({names[:200]}): "
        "keep one; of a tool's augmented copies only the original's labels fit"
    )
    return [], [SetAside(entry.name, reason) for entry in entries]


def _read_entries(path: Path, images: ImageNames) -> tuple[list[Entry], list[SetAside]]:
    """Return the entries of a label set, and the files of it that hold none."""
    if path.is_file():
        ending = path.suffix.lower()
        read = _reader(path.parent, ending if ending in LABEL_ENDINGS else ".json")
        return read(path, path.name)
    files = {
        found.relative_to(path).as_posix(): found
        for found in sorted(path.rglob("*"))
        if found.suffix.lower() in LABEL_ENDINGS and found.name.lower() not in CLASS_LISTS
    }
    aside: list[SetAside] = []
    for name, file in list(files.items()):
        why = _why_no_labels(file, is_named=images.find([name]) is not None)
        if why is not None:
            aside.append(SetAside(name, why))
            del files[name]
    endings = sorted({file.suffix.lower() for file in files.values()})
    if len(endings) != 1:
        why = f"none ({aside[0].where}: {aside[0].reason})" if aside else "none"
        raise InputError("labels of one format", " and ".join(endings) or why, path, TODO)
    read = _reader(path, endings[0])
    entries: list[Entry] = []
    for name, file in files.items():
        try:
            found_entries, found_aside = read(file, name)
        except InputError as error:
            reason = f"expected {error.expected}, found {error.found}"
            aside.append(SetAside(name, reason))
        else:
            entries += found_entries
            aside += found_aside
    return entries, aside


ReadFile = Callable[[Path, str], tuple[list[Entry], list[SetAside]]]
"""Returns the entries of a file, by its path and name, and what of it belongs to no image."""


def _reader(folder: Path, ending: str) -> ReadFile:
    """Return the function that reads a label file of some ending."""
    if ending == ".json":
        return _json_entries
    if ending == ".xml":
        return lambda file, name: (xml_entries(file, name), [])
    classes = _yolo_classes_below(folder)
    return lambda file, name: ([yolo_entry(file, name, classes)], [])


def _why_no_labels(file: Path, is_named: bool) -> str | None:
    """Return why a file beside labels holds none itself, such as a tool's notes and lists; None where it may.

    Parameters
    ----------
    is_named
        Whether it is named like an image: then it is a label file, whatever it holds.
    """
    ending = file.suffix.lower()
    if is_named or ending == ".xml":
        return None
    try:
        if ending == ".txt":
            text = read_label_text(file)
            return None if is_yolo(text) else "expected YOLO labels, found no line of numbers"
        content = _read_json(file)
    except InputError:
        return None  # it is told when it is read
    return None if _is_known(content) else f"expected COCO or labelme, found {_kind_of(content)}"


def _json_entries(path: Path, name: str) -> tuple[list[Entry], list[SetAside]]:
    """Return the entries of a COCO or labelme file."""
    content = _read_json(path)
    if not _is_known(content):
        raise InputError("a COCO or labelme file", _kind_of(content), path, TODO)
    if "shapes" in content:
        return [labelme_entry(content, path, name)], []
    found = coco_of(content, path)
    return list(found.entries), list(found.orphans)


def _is_known(content: Any) -> bool:
    """Return whether JSON is meant as COCO or labelme."""
    return isinstance(content, dict) and ("shapes" in content or "images" in content)


def _kind_of(content: Any) -> str:
    """Return what JSON that is neither COCO nor labelme likely is, as words."""
    first = content[0] if isinstance(content, list) and content else content
    fields = first if isinstance(first, dict) else {}
    if "annotations" in fields and "data" in fields:
        return "Label Studio's own JSON: export it as COCO or YOLO"
    of_via = any(isinstance(value, dict) and "regions" in value for value in fields.values())
    if of_via or "_via_img_metadata" in fields:
        return "VIA's own JSON: export it as COCO"
    return "neither images nor shapes"


def _read_json(path: Path) -> Any:
    """Return what a JSON file holds, or raise an InputError."""
    try:
        if path.stat().st_size > MAX_COCO_BYTES:
            raise ValueError(f"{path.stat().st_size} bytes")
        return json.loads(decode_text(path.read_bytes()))
    except (OSError, ValueError, RecursionError) as error:
        why = f"{type(error).__name__}: {error}"
        raise InputError("a COCO or labelme file", why[:200], path, TODO) from error


def _yolo_classes_below(folder: Path) -> dict[int, str]:
    """Return the class names of a YOLO folder by number; without them its numbers may mean other classes.

    They are looked for in the folder and below it, else beside it, else beside the folder above; several must agree.
    """
    folder = folder.resolve()
    named = _class_files(folder.rglob("*"))
    for above in folder.parents[:2]:  # as in dataset/train/labels
        named = named or _class_files(above.iterdir())
    if not named:
        raise InputError(
            f"one of {', '.join((*CLASS_LISTS, *CLASS_YAMLS))}, which name the classes",
            "none",
            folder,
            "Write one class a line, in the order of their numbers.",
        )
    classes = read_yolo_classes(named[0])
    for other in named[1:]:
        more = read_yolo_classes(other)
        differing = [
            number for number in classes.keys() & more.keys() if classes[number] != more[number]
        ]
        if differing:
            raise InputError(
                f"the classes of {named[0].name}: {differing[0]} {classes[differing[0]]}",
                f"{differing[0]} {more[differing[0]]}",
                other,
                "Give each folder with its own classes, or mend the one that is wrong.",
            )
        classes = {**more, **classes}
    return classes


def _class_files(paths: Iterable[Path]) -> list[Path]:
    """Return the files that name YOLO's classes."""
    return sorted(path for path in paths if path.name.lower() in (*CLASS_LISTS, *CLASS_YAMLS))
