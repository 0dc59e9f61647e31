"""Label sets as labelling tools leave them: a COCO file, or a folder of YOLO or Pascal VOC files."""

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
    write_voc,
    write_yolo,
    yolo_classes,
)
from dd_livm_core.records import LabelFormat

TODO = "Give a COCO file (.json), or a folder of YOLO (.txt) or of Pascal VOC (.xml) files."


@dataclass(frozen=True)
class Frame:
    """One labelled image.

    Attributes
    ----------
    names
        What label files may call it, without ending; an earlier name counts more where two frames share one.
    size_px
        (width, height).
    """

    pair_id: str
    names: tuple[str, ...]
    size_px: tuple[int, int]


@dataclass(frozen=True)
class LabelSet:
    """Labels by pair id, and the names in the label files that belong to no frame."""

    labels: dict[str, list[Label]]
    unmatched: tuple[str, ...]


def read_label_set(path: Path, frames: Sequence[Frame]) -> LabelSet:
    """Read labels in whichever of the three formats they are.

    A frame without an entry is not in the result, which is not the same as a frame without defects.

    Raises
    ------
    InputError
        There are no labels, of two formats, broken ones, or two entries for one frame.
    """
    names, read = _entries(path)
    known = _named(frames)
    labels: dict[str, list[Label]] = {}
    unmatched = []
    for name in names:
        frame = _frame_of(_without_ending(name), known)
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
    """Write labels by pair id: COCO into one file, the others into a folder of files."""
    if kind == "coco":
        destination.parent.mkdir(parents=True, exist_ok=True)
        write_labels(destination, labels, files, sizes_px)
    elif kind == "yolo":
        write_yolo(destination, labels, sizes_px)
    else:
        write_voc(destination, labels, files, sizes_px)


Read = Callable[[str, Frame], list[Label]]


def _entries(path: Path) -> tuple[list[str], Read]:
    """Return the names in a label set and what reads one of them for its frame."""
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
    """Return the names by number: without them the same numbers may mean other classes."""
    for name in YOLO_CLASS_FILES:
        named = sorted(folder.rglob(name)) or [p for p in (folder.parent / name,) if p.is_file()]
        if named:
            return yolo_classes(named[0])
    raise InputError(
        f"one of {', '.join(YOLO_CLASS_FILES)}, which name the classes",
        "none",
        folder,
        "Write one class a line, in the order of their numbers.",
    )


def _without_ending(name: str) -> str:
    return PurePosixPath(name.replace("\\", "/")).with_suffix("").as_posix()


def _named(frames: Sequence[Frame]) -> dict[str, Frame | None]:
    """Return the frame of every name, or None where two frames have an equal right to it."""
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
    """Look a name up with its folders, then with ever fewer of them."""
    parts = PurePosixPath(name).parts
    tails = ("/".join(parts[start:]) for start in range(len(parts)))
    return next((known[tail] for tail in tails if tail in known), None)
