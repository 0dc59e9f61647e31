"""Reads and writes label sets of labelling tools: a COCO file, or a folder of YOLO or Pascal VOC files."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from dd_livm_core.errors import InputError
from dd_livm_core.labels.coco import read_coco, write_labels
from dd_livm_core.labels.label import Label
from dd_livm_core.labels.yolo_voc import (
    YOLO_CLASS_FILES,
    read_voc,
    read_yolo,
    read_yolo_classes,
    write_voc,
    write_yolo,
)
from dd_livm_core.records import LabelFormat

TODO = "Give a COCO file (.json), or a folder of YOLO (.txt) or of Pascal VOC (.xml) files."


@dataclass(frozen=True)
class Frame:
    """One image that labels may belong to.

    Attributes
    ----------
    names
        What label files may call it, without ending; where two frames share a name, it is that of the frame that
        lists it earlier.
    size_px
        (width, height) in pixels.
    """

    pair_id: str
    names: tuple[str, ...]
    size_px: tuple[int, int]


@dataclass(frozen=True)
class LabelSet:
    """Labels by pair id, and the names of entries that belong to no frame."""

    labels: dict[str, list[Label]]
    unmatched: tuple[str, ...]


def read_label_set(path: Path, frames: Sequence[Frame]) -> LabelSet:
    """Return the labels of a COCO file, or of a folder of YOLO or Pascal VOC files.

    A frame without an entry is not in the result: it is not labelled. One without defects has an empty list.

    Raises
    ------
    InputError
        There are no labels, they are of two formats or broken, or a frame has two entries.
    """
    names, read = _entries(path)
    known = _frames_by_name(frames)
    labels: dict[str, list[Label]] = {}
    unmatched = []
    for name in names:
        frame = _frame_of(_drop_ending(name), known)
        if frame is None:
            unmatched.append(name)
        elif frame.pair_id in labels:
            raise InputError(f"one entry for {frame.pair_id}", f"{name}, too", path, "Keep one.")
        else:
            labels[frame.pair_id] = read(name, frame)
    return LabelSet(labels, tuple(unmatched))


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


ReadEntry = Callable[[str, Frame], list[Label]]
"""Returns the labels of an entry, by its name and frame."""


def _entries(path: Path) -> tuple[list[str], ReadEntry]:
    """Return the names of a label set's entries, and the function that reads one."""
    if path.is_file():
        by_file = read_coco(path)
        return list(by_file), lambda name, frame: by_file[name]
    found = sorted(p for p in path.rglob("*") if p.suffix in (".txt", ".xml"))
    names = [p.relative_to(path).as_posix() for p in found if p.name not in YOLO_CLASS_FILES]
    endings = {Path(name).suffix for name in names}
    if len(endings) != 1:
        raise InputError(
            "labels of one format", " and ".join(sorted(endings)) or "none", path, TODO
        )
    if endings == {".xml"}:
        return names, lambda name, frame: read_voc(path / name)
    classes = _yolo_classes_below(path)
    return names, lambda name, frame: read_yolo(path / name, frame.size_px, classes)


def _yolo_classes_below(folder: Path) -> tuple[str, ...]:
    """Return the class names of a YOLO folder; without them its numbers may mean other classes.

    They are looked for in the folder, below it and beside it.
    """
    for name in YOLO_CLASS_FILES:
        named = sorted(folder.rglob(name)) or [p for p in (folder.parent / name,) if p.is_file()]
        if named:
            return read_yolo_classes(named[0])
    raise InputError(
        f"one of {', '.join(YOLO_CLASS_FILES)}, which name the classes",
        "none",
        folder,
        "Write one class a line, in the order of their numbers.",
    )


def _drop_ending(name: str) -> str:
    """Return an entry's name with slashes and without its ending."""
    return PurePosixPath(name.replace("\\", "/")).with_suffix("").as_posix()


def _frames_by_name(frames: Sequence[Frame]) -> dict[str, Frame | None]:
    """Return the frame of every name, or None where two frames list it at the same place."""
    known: dict[str, Frame | None] = {}
    for rank in range(max((len(frame.names) for frame in frames), default=0)):
        claims: dict[str, list[Frame]] = defaultdict(list)
        for frame in frames:
            if rank < len(frame.names):
                claims[frame.names[rank]].append(frame)
        for name, claiming in claims.items():
            known.setdefault(name, claiming[0] if len(claiming) == 1 else None)
    return known


def _frame_of(name: str, known: Mapping[str, Frame | None]) -> Frame | None:
    """Return the frame of an entry, looked up with all folders of its name, then with ever fewer."""
    parts = PurePosixPath(name).parts
    tails = ("/".join(parts[start:]) for start in range(len(parts)))
    return next((known[tail] for tail in tails if tail in known), None)
