"""Reads and writes YOLO and Pascal VOC files, without loss of class, box or hotspot shape."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError, SubElement, indent, tostring

import yaml
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from dd_livm_core.errors import InputError
from dd_livm_core.files import write_text
from dd_livm_core.labels.label import Label, check_label
from dd_livm_core.records import DEFECT_CLASSES

MAX_LABEL_BYTES = 16 * 2**20
"""Of one image's label file: thousands of times a real one."""
YOLO_CLASSES = "classes.txt"
YOLO_CLASS_FILES = (YOLO_CLASSES, "obj.names", "data.yaml", "dataset.yaml")
"""Files in which labelling tools name the classes."""
YOLO_TODO = "Each line holds: class x_centre y_centre width height, as shares of the frame."
VOC_TODO = "Export the labels as Pascal VOC, with the names " + ", ".join(DEFECT_CLASSES) + "."


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


def read_yolo_classes(path: Path) -> tuple[str, ...]:
    """Return the class names that one of `YOLO_CLASS_FILES` lists; their place is their number.

    Raises
    ------
    InputError
        A YAML file names no classes, or not by number.
    """
    text = _read(path)
    if path.suffix != ".yaml":
        return tuple(line.strip() for line in text.splitlines() if line.strip())
    try:
        names = yaml.safe_load(text)["names"]
        return tuple(str(names[number]) for number in range(len(names)))
    except (yaml.YAMLError, KeyError, TypeError, RecursionError) as error:
        raise InputError(
            "names: with one class for each number", f"{error}"[:200], path, "Mend the file."
        ) from error


def read_yolo(
    path: Path, size_px: tuple[int, int], classes: Sequence[str] = DEFECT_CLASSES
) -> list[Label]:
    """Return the labels of a frame's YOLO file; shapes come from ``<stem>.shapes`` beside it, where that exists.

    Parameters
    ----------
    size_px
        (width, height) of the frame that was labelled.
    classes
        Class names, as `read_yolo_classes` returns them.

    Raises
    ------
    InputError
        A line is no box, or its class is unknown.
    """
    lines = [line for line in _read(path).splitlines() if line.strip()]
    beside = path.with_suffix(".shapes")
    shapes = _read(beside).split() if beside.exists() else ["-"] * len(lines)
    if len(shapes) != len(lines):
        raise InputError(f"{len(lines)} shapes", f"{len(shapes)}", beside, "Remove the file.")
    return [
        _yolo_label(line, shape, classes, size_px, path)
        for line, shape in zip(lines, shapes, strict=True)
    ]


def _yolo_label(
    line: str, shape: str, names: Sequence[str], size_px: tuple[int, int], path: Path
) -> Label:
    """Return the label of one line; the shape ``-`` is none."""
    try:
        number, *shares = line.split()
        name = names[int(number)] if int(number) >= 0 else ""
        x, y, w, h = (float(value) for value in shares)
    except (ValueError, IndexError) as error:
        raise InputError("a YOLO line", repr(line[:80]), path, YOLO_TODO) from error
    width_px, height_px = size_px
    box = ((x - w / 2) * width_px, (y - h / 2) * height_px, w * width_px, h * height_px)
    return check_label(box, name, None if shape == "-" else shape, path, YOLO_TODO)


def write_voc(
    folder: Path,
    labels: Mapping[str, Sequence[Label]],
    files: Mapping[str, str],
    sizes_px: Mapping[str, tuple[int, int]],
) -> None:
    """Write one ``<pair_id>.xml`` per pair. Pixels count from 0, as everywhere here.

    Parameters
    ----------
    labels, files, sizes_px
        By pair id: the labels, the image's file name, and its (width, height) in pixels.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for pair_id, of_pair in labels.items():
        root = Element("annotation")
        SubElement(root, "filename").text = files[pair_id]
        size = SubElement(root, "size")
        for name, value in zip(("width", "height", "depth"), (*sizes_px[pair_id], 1), strict=True):
            SubElement(size, name).text = str(value)
        for label in of_pair:
            entry = SubElement(root, "object")
            SubElement(entry, "name").text = label.defect_class
            if label.hotspot_shape is not None:
                SubElement(entry, "hotspot_shape").text = label.hotspot_shape
            x, y, w, h = label.box_xywh_px
            box = SubElement(entry, "bndbox")
            corners = zip(("xmin", "ymin", "xmax", "ymax"), (x, y, x + w, y + h), strict=True)
            for name, corner in corners:
                SubElement(box, name).text = f"{corner:.17g}"
        indent(root)
        write_text(folder / f"{pair_id}.xml", tostring(root, encoding="unicode"))


def read_voc(path: Path) -> list[Label]:
    """Return the labels of one Pascal VOC file.

    Raises
    ------
    InputError
        It is no VOC annotation, holds an entity bomb, an unknown class or a box that is none.
    """
    try:
        root = fromstring(_read(path))
        found = []
        for entry in root.iter("object"):
            corners = [
                float(entry.find("bndbox").find(n).text) for n in ("xmin", "ymin", "xmax", "ymax")
            ]
            found.append((entry.findtext("name", ""), entry.findtext("hotspot_shape"), corners))
    except (ParseError, DefusedXmlException, AttributeError, TypeError, ValueError) as error:
        raise InputError(
            "a VOC annotation", f"{type(error).__name__}: {error}"[:200], path, VOC_TODO
        ) from error
    return [
        check_label((x0, y0, x1 - x0, y1 - y0), name, shape, path, VOC_TODO)
        for name, shape, (x0, y0, x1, y1) in found
    ]


def _read(path: Path) -> str:
    """Return the text of a label file, or raise an InputError."""
    if path.stat().st_size > MAX_LABEL_BYTES:
        raise InputError("a label file", f"{path.stat().st_size} bytes", path, "Export it anew.")
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise InputError("a text file", str(error), path, "Export the labels anew.") from error
