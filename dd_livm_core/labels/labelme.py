"""Reads labelme's files: one JSON an image, with outlines of several kinds."""

import math
from pathlib import Path
from typing import Any

from dd_livm_core.errors import InputError
from dd_livm_core.labels.entry import Drawn, Entry, SetAside
from dd_livm_core.labels.label import Box
from dd_livm_core.labels.outlines import box_of_points
from dd_livm_core.records import DEFECT_CLASSES

TODO = "Export the labels as labelme does, with the labels " + ", ".join(DEFECT_CLASSES) + "."
OUTLINES = ("rectangle", "polygon", "rotation")


def labelme_entry(content: dict[str, Any], path: Path, name: str) -> Entry:
    """Return what a labelme file says of its image.

    Parameters
    ----------
    content
        The file's JSON, with ``shapes``.
    name
        Of the entry.

    Raises
    ------
    InputError
        It has no list of shapes, or a size that is no number.
    """
    drawn: list[Drawn] = []
    broken: list[SetAside] = []
    try:
        for number, shape in enumerate(content["shapes"], 1):
            place = f"shape {number}"
            try:
                drawn.append(Drawn(place, _box(shape), shape["label"]))
            except (KeyError, TypeError, ValueError) as error:
                found = f"{type(error).__name__}: {error}"[:200]
                broken.append(SetAside(f"{name}, {place}", f"expected an outline, found {found}"))
        stated: Any = content.get("imageWidth"), content.get("imageHeight")
        stated_px = None if stated == (None, None) else (float(stated[0]), float(stated[1]))
    except (TypeError, ValueError) as error:
        raise InputError("a labelme file", str(error)[:200], path, TODO) from error
    image_path = content.get("imagePath")
    names = (name, *([image_path] if isinstance(image_path, str) else []))
    return Entry(name, names, tuple(drawn), tuple(broken), stated_px)


def _box(shape: dict[str, Any]) -> Box:
    """Return the box round a shape; a circle is given by its centre and a point on it."""
    kind = shape.get("shape_type") or "polygon"
    points = [(float(x), float(y)) for x, y in shape["points"]]
    if kind == "circle" and len(points) == 2:
        (x, y), (edge_x, edge_y) = points
        radius = math.hypot(edge_x - x, edge_y - y)
        return x - radius, y - radius, 2 * radius, 2 * radius
    if kind not in OUTLINES:
        raise ValueError(f"a {kind}")
    return box_of_points(points)
