"""Reads and writes YOLO files, without loss of class, box or hotspot shape."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from dd_livm_core.errors import InputError
from dd_livm_core.files import write_text
from dd_livm_core.labels.entry import Drawn, Entry, SetAside
from dd_livm_core.labels.label import Label
from dd_livm_core.labels.label_files import read_label_text
from dd_livm_core.labels.outlines import box_of_points, pairs_of
from dd_livm_core.records import DEFECT_CLASSES

YOLO_CLASSES = "classes.txt"
CLASS_LISTS = (YOLO_CLASSES, "predefined_classes.txt", "obj.names", "_darknet.labels")
CLASS_YAMLS = ("data.yaml", "data.yml", "dataset.yaml", "dataset.yml")
"""Files in which labelling tools name the classes: one a line, or under ``names``."""
YOLO_TODO = "Each line holds: class x_centre y_centre width height, as shares of the frame."
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", re.IGNORECASE)
FEWEST_NUMBERS = 3
"""After the class, in a line that is meant as a label: one fewer than a box has."""


def write_yolo(
    folder: Path, labels: Mapping[str, Sequence[Label]], sizes_px: Mapping[str, tuple[int, int]]
) -> None:
    """Write one ``<pair_id>.txt`` per pair, and ``classes.txt``; boxes as shares of the frame.

    YOLO knows no hotspot shape: it goes to ``<pair_id>.shapes``, one word a line.

    Parameters
    ----------
    labels, sizes_px
        By pair id: the labels, and the frame's (width, height) in pixels.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / YOLO_CLASSES, "".join(f"{name}\n" for name in DEFECT_CLASSES))
    for pair_id, of_pair in labels.items():
        width_px, height_px = sizes_px[pair_id]
        lines = []
        for label in of_pair:
            x, y, w, h = label.box_xywh_px
            shares = ((x + w / 2) / width_px, (y + h / 2) / height_px, w / width_px, h / height_px)
            lines.append(
                f"{DEFECT_CLASSES.index(label.defect_class)} "
                + " ".join(f"{v:.17g}" for v in shares)
            )
        write_text(folder / f"{pair_id}.txt", "".join(f"{line}\n" for line in lines))
        shapes = "".join(f"{label.hotspot_shape or '-'}\n" for label in of_pair)
        write_text(folder / f"{pair_id}.shapes", shapes)


def read_yolo_classes(path: Path) -> dict[int, str]:
    """Return the class names by number that one of `CLASS_LISTS` or `CLASS_YAMLS` gives.

    In a list, a class's number is its line's; an empty line is a number without a class.

    Raises
    ------
    InputError
        A YAML file names no classes, or not by number; or a list names a class twice, and the numbers of others may be
        moved by that.
    """
    text = read_label_text(path)
    if path.suffix.lower() not in (".yaml", ".yml"):
        lines = [line.strip() for line in text.splitlines()]
        twice = next((name for name in lines if name and lines.count(name) > 1), None)
        if twice is not None:
            raise InputError("each class once", f"{twice!r} twice", path, "Mend the list.")
        return {number: name for number, name in enumerate(lines) if name}
    try:
        names: Any = yaml.safe_load(text)["names"]
        by_number = names.items() if isinstance(names, dict) else enumerate(list(names))
        return {int(number): str(name) for number, name in by_number}
    except (yaml.YAMLError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise InputError(
            "names: with the classes by number", f"{error}"[:200], path, "Mend the file."
        ) from error


def is_yolo(text: str) -> bool:
    """Return whether a text is meant as YOLO labels, by a line of numbers after a class."""
    lines = [line.split() for line in text.splitlines() if line.strip()]
    return any(
        len(line) > FEWEST_NUMBERS and all(NUMBER.fullmatch(word) for word in line[1:])
        for line in lines
    )


def yolo_entry(path: Path, name: str, classes: Mapping[int, str]) -> Entry:
    """Return what a YOLO file says of its image; shapes come from ``<stem>.shapes`` beside it, where that exists.

    Parameters
    ----------
    name
        Of the entry: the file's path below the set.
    classes
        As `read_yolo_classes` returns them.

    Raises
    ------
    InputError
        It is no text, or the shapes are of another count.
    """
    lines = [line for line in enumerate(read_label_text(path).splitlines(), 1) if line[1].strip()]
    beside = path.with_suffix(".shapes")
    shapes = read_label_text(beside).split() if beside.exists() else ["-"] * len(lines)
    if len(shapes) != len(lines):
        raise InputError(f"{len(lines)} shapes", f"{len(shapes)}", beside, "Remove the file.")
    drawn: list[Drawn] = []
    broken: list[SetAside] = []
    for (number, line), shape in zip(lines, shapes, strict=True):
        place = f"line {number}"
        try:
            drawn.append(_drawn(line, place, None if shape == "-" else shape, classes))
        except ValueError as error:
            reason = f"expected class x_centre y_centre width height, found {line[:80]!r} ({error})"
            broken.append(SetAside(f"{name}, {place}", reason[:300]))
    return Entry(name, (name,), tuple(drawn), tuple(broken), in_shares=True)


def _drawn(line: str, place: str, shape: str | None, classes: Mapping[int, str]) -> Drawn:
    """Return the label of one line: a box or the corners of an outline, either with a confidence behind."""
    said, *words = line.split()
    numbers = [float(word) for word in words]
    if len(numbers) % 2:  # a prediction's confidence
        if not 0 <= numbers[-1] <= 1:
            raise ValueError(f"{numbers[-1]:g} where a confidence stands")
        numbers = numbers[:-1]
    if len(numbers) < 4:
        raise ValueError(f"{len(words)} numbers")
    name = _class_name(said, classes)
    if len(numbers) > 4:
        return Drawn(place, box_of_points(pairs_of(numbers)), name, shape)
    x, y, width, height = numbers
    return Drawn(place, (x - width / 2, y - height / 2, width, height), name, shape)


def _class_name(said: str, classes: Mapping[int, str]) -> str:
    """Return the class that a line's first word names, by its number or itself."""
    if said in classes.values():
        return said
    number = float(said)
    if number not in classes:
        known = ", ".join(f"{key} {name}" for key, name in sorted(classes.items()))
        raise ValueError(f"no class {said} among {known}")
    return classes[int(number)]
