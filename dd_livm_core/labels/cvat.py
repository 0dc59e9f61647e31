"""Reads CVAT's own XML (``CVAT for images``): one file, with the shapes of every image."""

from pathlib import Path
from typing import Any

from dd_livm_core.errors import InputError
from dd_livm_core.labels.entry import Drawn, Entry, SetAside, stated_size_px
from dd_livm_core.labels.label import Box
from dd_livm_core.labels.outlines import box_of_points, turned_box

ROOT = "annotations"
"""CVAT's outermost element; a VOC file's is ``annotation``."""
SHAPES = ("box", "polygon", "ellipse", "mask", "polyline", "points", "cuboid", "skeleton")
TODO = "Export them from CVAT as `CVAT for images` or as COCO."


def cvat_entries(root: Any, path: Path) -> list[Entry]:
    """Return what a CVAT file says of each of its images.

    Parameters
    ----------
    root
        The file's outermost element.
    path
        Only named in errors.

    Raises
    ------
    InputError
        It holds no images, as of a video.
    """
    images = root.findall("image")
    if not images:
        raise InputError("CVAT's images", "none, as in a video's tracks", path, TODO)
    return [_entry(image) for image in images]


def _entry(image: Any) -> Entry:
    """Return what an ``image`` element says."""
    name = str(image.get("name", ""))
    drawn: list[Drawn] = []
    broken: list[SetAside] = []
    for number, item in enumerate((part for part in image if part.tag in SHAPES), 1):
        place = f"shape {number}"
        try:
            drawn.append(Drawn(place, _box(item), item.get("label"), _hotspot_shape(item)))
        except (TypeError, ValueError) as error:
            found = f"a {item.tag}: {error}"[:200]
            broken.append(SetAside(f"{name}, {place}", f"expected an outline, found {found}"))
    stated_px = stated_size_px(image.get("width"), image.get("height"))
    return Entry(name, (name,), tuple(drawn), tuple(broken), stated_px)


def _hotspot_shape(item: Any) -> str | None:
    """Return the attribute ``hotspot_shape`` of a shape, or None without one."""
    texts = (a.text for a in item.iter("attribute") if a.get("name") == "hotspot_shape")
    return next((text.strip() for text in texts if text), None)


def _box(item: Any) -> Box:
    """Return the upright box round a shape; a turned one is written as it was before the turn."""
    if item.tag == "box":
        x0, y0, x1, y1 = (float(item.get(side)) for side in ("xtl", "ytl", "xbr", "ybr"))
        box: Box = x0, y0, x1 - x0, y1 - y0
    elif item.tag == "polygon":
        points = [point.split(",") for point in item.get("points").split(";")]
        return box_of_points([(float(x), float(y)) for x, y in points])
    elif item.tag == "ellipse":
        x, y, across, down = (float(item.get(name)) for name in ("cx", "cy", "rx", "ry"))
        box = x - across, y - down, 2 * across, 2 * down
    elif item.tag == "mask":
        left, top, width, height = (
            float(item.get(name)) for name in ("left", "top", "width", "height")
        )
        return left, top, width, height
    else:
        raise ValueError("no area")
    return turned_box(box, float(item.get("rotation") or 0))
