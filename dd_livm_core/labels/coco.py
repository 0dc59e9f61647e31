"""Reads and writes labels in COCO's format, with ``hotspot_shape`` beside the class."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from dd_livm_core.camera_files.raster_offset import Shift
from dd_livm_core.errors import InputError
from dd_livm_core.files import decode_text, write_text
from dd_livm_core.labels.entry import Drawn, Entry, SetAside, stated_size_px
from dd_livm_core.labels.label import Box, Label, check_label
from dd_livm_core.labels.outlines import box_of_mask, box_of_points, pairs_of, turned_box
from dd_livm_core.records import DEFECT_CLASSES

RASTER_OFFSET = "raster_offset_px"
"""Of an image: its boxes lie where the raster has things, and on the picture so many pixels right and down of there."""
CATEGORIES = [{"id": number, "name": name} for number, name in enumerate(DEFECT_CLASSES, 1)]
MAX_COCO_BYTES = 256 * 2**20
"""More than a million boxes; read whole into memory."""
ROUNDING_PX, ROUNDING = 2.0, 0.1
"""So many pixels, and beside them this share of its side, may a box differ from its outline: tools round both."""
TODO = "Export the labels as COCO, with the categories " + ", ".join(DEFECT_CLASSES) + "."


def read_labels(path: Path, pair_ids: Collection[str] | None = None) -> dict[str, list[Label]]:
    """Return a mission's own COCO labels by pair id; a pair labelled as without defects has an empty list.

    Parameters
    ----------
    pair_ids
        Only labels of these pairs are read and checked; by default all.

    Raises
    ------
    InputError
        As for `read_coco`, two images belong to one pair, or a label has an unknown class or shape, or no box.
    """
    labels: dict[str, list[Label]] = {}
    for pair_id, entry in _entries_by_pair(path).items():
        if pair_ids is not None and pair_id not in pair_ids:
            continue
        if entry.broken:
            raise InputError("annotations with boxes", entry.broken[0].reason, path, TODO)
        labels[pair_id] = [
            check_label(drawn.box_xywh, drawn.name, drawn.shape, path, TODO)
            for drawn in entry.drawn
        ]
    return labels


def find_broken_labels(path: Path) -> dict[str, str]:
    """Return why labels cannot be used, by pair id: an unknown class or shape, or no box. Others are not in it.

    Raises
    ------
    InputError
        It is no COCO file of a mission, see `read_labels`.
    """
    broken: dict[str, str] = {}
    for pair_id, entry in _entries_by_pair(path).items():
        try:
            for drawn in entry.drawn:
                check_label(drawn.box_xywh, drawn.name, drawn.shape, path, TODO)
        except InputError as error:
            broken[pair_id] = f"expected {error.expected}, found {error.found}"[:200]
        if entry.broken:
            broken.setdefault(pair_id, entry.broken[0].reason[:200])
    return broken


def read_stated_sizes(path: Path) -> dict[str, tuple[float, float]]:
    """Return the (width, height) in pixels that a mission's own COCO labels state, by pair id, where they do.

    Raises
    ------
    InputError
        As for `find_broken_labels`.
    """
    return {k: e.stated_px for k, e in _entries_by_pair(path).items() if e.stated_px is not None}


def _entries_by_pair(path: Path) -> dict[str, Entry]:
    """Return the entries of a mission's own labels by pair id, the stem of the image's name."""
    found = read_coco(path)
    if found.orphans:
        raise InputError("annotations of known images", found.orphans[0].reason, path, TODO)
    entries = {PurePosixPath(entry.name).stem: entry for entry in found.entries}
    if len(entries) < len(found.entries):
        raise InputError("one image per pair", f"{len(found.entries)}", path, TODO)
    return entries


@dataclass(frozen=True)
class CocoFile:
    """The entries of a COCO file, one an image, and its annotations of no image."""

    entries: tuple[Entry, ...]
    orphans: tuple[SetAside, ...]


def read_coco(path: Path) -> CocoFile:
    """Return what a COCO file says of its images; its labels are not checked yet.

    Raises
    ------
    InputError
        It is no COCO file, or too large.
    """
    try:
        if path.stat().st_size > MAX_COCO_BYTES:
            raise ValueError(f"{path.stat().st_size} bytes")
        content = json.loads(decode_text(path.read_bytes()))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError("a COCO file", f"{type(error).__name__}: {error}", path, TODO) from error
    return coco_of(content, path)


def coco_of(content: Any, path: Path) -> CocoFile:
    """Return the entries of a COCO file's JSON, as `read_coco`; ``path`` is only named."""
    try:
        images = {_key(image["id"]): image for image in content["images"]}
        names = [str(image["file_name"]) for image in content["images"]]
        categories = [(_key(of["id"]), of["name"]) for of in content.get("categories") or []]
        annotations = list(content["annotations"] or [])
        sizes = {
            key: stated_size_px(image.get("width"), image.get("height"))
            for key, image in images.items()
        }
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError("a COCO file", f"{type(error).__name__}: {error}", path, TODO) from error
    if len(images) < len(names):
        raise InputError("one id per image", "images of one id", path, TODO)
    classes = dict(categories)
    if len(classes) < len(set(categories)):
        raise InputError("one id per class", f"classes of one id: {categories}", path, TODO)
    drawn: dict[str, list[Drawn]] = {key: [] for key in images}
    broken: dict[str, list[SetAside]] = {key: [] for key in images}
    orphans: list[SetAside] = []
    for number, annotation in enumerate(annotations, 1):
        said = annotation if isinstance(annotation, dict) else {}
        place, key = f"annotation {said.get('id', number)}", _key(said.get("image_id"))
        if key not in images:
            orphans.append(SetAside(f"{path.name}, {place}", f"of no image: {annotation}"[:200]))
            continue
        try:
            sizes[key] = sizes[key] or _mask_size_px(said)
            drawn[key].append(_drawn(said, place, classes, sizes[key]))
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            reason = f"expected category and bbox, found {type(error).__name__}: {error}"
            broken[key].append(SetAside(f"{images[key]['file_name']}, {place}", reason[:200]))
    entries = tuple(
        Entry(
            name,
            (name,),
            tuple(drawn[key]),
            tuple(broken[key]),
            sizes[key],
            on_raster=RASTER_OFFSET in images[key],
        )
        for key, name in zip(images, names, strict=True)
    )
    return CocoFile(entries, tuple(orphans))


def _key(number: Any) -> str:
    """Return an id as a text: tools write 1, "1" and 1.0 for the same."""
    return str(int(number) if isinstance(number, float) and number.is_integer() else number)


def _mask_size_px(annotation: Any) -> tuple[float, float] | None:
    """Return the (width, height) of an annotation's mask, or None without one."""
    mask = annotation.get("segmentation")
    if not isinstance(mask, dict):
        return None
    height, width = mask["size"]
    return float(width), float(height)


def _drawn(
    annotation: Any, place: str, classes: Mapping[str, Any], stated_px: tuple[float, float] | None
) -> Drawn:
    """Return the label of an annotation: of its bbox, else, as where that has no area, of its outline or mask."""
    attributes = annotation.get("attributes")
    degrees = float(attributes.get("rotation") or 0) if isinstance(attributes, dict) else 0.0
    x, y, width, height = (float(value) for value in annotation.get("bbox") or (0, 0, 0, 0))
    box = (x, y, width, height)
    if annotation.get("segmentation") and min(width, height) <= 0:
        box = _box_of_outline(annotation["segmentation"], stated_px)
    elif not annotation.get("bbox"):
        raise KeyError("bbox")
    else:
        if not degrees:
            _require_agreement(box, annotation, stated_px)
    if degrees:  # CVAT writes a turned box as it was before the turn
        box = turned_box(box, degrees)
    name = classes[_key(annotation["category_id"])]
    return Drawn(place, box, name, annotation.get("hotspot_shape"))


def _box_of_outline(outline: Any, stated_px: tuple[float, float] | None) -> Box:
    """Return the box round the polygons or the mask of an annotation, or raise an error of many kinds."""
    if isinstance(outline, dict):
        height, width = outline["size"]
        if stated_px != (width, height):
            raise ValueError(f"a mask of {outline['size']} on an image of {stated_px}")
        return box_of_mask(outline["counts"], int(height))
    parts = outline if isinstance(outline[0], list) else [outline]
    return box_of_points([point for part in parts for point in pairs_of(part)])


def _require_agreement(box: Box, annotation: Any, stated_px: tuple[float, float] | None) -> None:
    """Raise a ValueError where an annotation's outline is not that of its box: one of them is wrong.

    An outline that cannot be read says nothing, and ``area`` neither: scripts leave it as it was.
    """
    x, y, width, height = box
    try:
        left, top, across, down = _box_of_outline(annotation["segmentation"], stated_px)
    except (KeyError, TypeError, ValueError, IndexError):
        return
    ends = (
        (x, left, width),
        (y, top, height),
        (x + width, left + across, width),
        (y + height, top + down, height),
    )
    if any(abs(one - other) > ROUNDING_PX + ROUNDING * side for one, other, side in ends):
        said = ", ".join(f"{value:g}" for value in (*box, left, top, across, down))
        raise ValueError(f"a box and an outline of another place: {said}")


def write_labels(
    path: Path,
    labels: Mapping[str, Sequence[Label]],
    files: Mapping[str, str],
    sizes_px: Mapping[str, tuple[int, int]],
    offsets_px: Mapping[str, Shift] | None = None,
) -> None:
    """Write labels as one COCO file, whole or not at all.

    Parameters
    ----------
    labels
        pair id → labels.
    files
        pair id → image file's name relative to the mission's folder.
    sizes_px
        pair id → (width, height) of the image in pixels.
    offsets_px
        pair id → how far right and down the shown picture has things of where the boxes are; where it does.
    """
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, (pair_id, of_pair) in enumerate(sorted(labels.items()), 1):
        width, height = sizes_px[pair_id]
        image = {"id": number, "file_name": files[pair_id], "width": width, "height": height}
        if offsets_px and pair_id in offsets_px:
            image[RASTER_OFFSET] = list(offsets_px[pair_id])
        images.append(image)
        for label in of_pair:
            annotations.append(_annotation(label, len(annotations) + 1, number))
    content = {"images": images, "annotations": annotations, "categories": CATEGORIES}
    write_text(path, json.dumps(content))


def _annotation(label: Label, annotation_id: int, image_id: int) -> dict[str, Any]:
    """Return a label as COCO's annotation."""
    annotation: dict[str, Any] = {
        "id": annotation_id,
        "image_id": image_id,
        "category_id": DEFECT_CLASSES.index(label.defect_class) + 1,
        "bbox": list(label.box_xywh_px),
        "area": label.box_xywh_px[2] * label.box_xywh_px[3],
        "iscrowd": 0,
    }
    if label.hotspot_shape is not None:
        annotation["hotspot_shape"] = label.hotspot_shape
    return annotation
