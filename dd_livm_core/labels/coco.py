"""Reads and writes labels in COCO's format, with ``hotspot_shape`` beside the class."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from dd_livm_core.errors import InputError
from dd_livm_core.files import write_text
from dd_livm_core.labels.label import Label, check_label
from dd_livm_core.records import DEFECT_CLASSES

CATEGORIES = [{"id": number, "name": name} for number, name in enumerate(DEFECT_CLASSES, 1)]
MAX_COCO_BYTES = 256 * 2**20
"""More than a million boxes; read whole into memory."""
TODO = "Export the labels as COCO, with the categories " + ", ".join(DEFECT_CLASSES) + "."


def read_labels(path: Path, pair_ids: Collection[str] | None = None) -> dict[str, list[Label]]:
    """Return a mission's COCO labels by pair id; a pair labelled as without defects has an empty list.

    Parameters
    ----------
    pair_ids
        Only labels of these pairs are read and checked; by default all.

    Raises
    ------
    InputError
        As for `read_coco`, or two images belong to one pair.
    """
    content = _parse(path)
    names = {PurePosixPath(name).stem: name for name in content.images.values()}
    if len(names) < len(content.images):
        raise InputError("one image per pair", f"{len(content.images)}", path, TODO)
    wanted = {name for pair_id, name in names.items() if pair_ids is None or pair_id in pair_ids}
    labels = _labels(content, wanted, path)
    return {pair_id: labels[name] for pair_id, name in names.items() if name in wanted}


def find_broken_labels(path: Path) -> dict[str, str]:
    """Return why labels cannot be used, by pair id: an unknown class or shape, or no box. Others are not in it.

    Raises
    ------
    InputError
        It is no COCO file.
    """
    content = _parse(path)
    broken: dict[str, str] = {}
    for annotation in content.annotations:
        pair_id = PurePosixPath(_image_of(annotation, content, path)).stem
        try:
            _label(annotation, content, path)
        except InputError as error:
            broken.setdefault(pair_id, f"expected {error.expected}, found {error.found}"[:200])
    return broken


def read_coco(path: Path) -> dict[str, list[Label]]:
    """Return COCO labels by file name, with an empty list for images without labels.

    Raises
    ------
    InputError
        It is no COCO file, or a label has an unknown class or shape, or a box without area.
    """
    content = _parse(path)
    return _labels(content, set(content.images.values()), path)


@dataclass(frozen=True)
class _Coco:
    """Image id → file name, category id → class name, and the annotations as the file holds them."""

    images: dict[Any, str]
    class_names: dict[Any, Any]
    annotations: list[Any]


def _parse(path: Path) -> _Coco:
    """Return the content of a COCO file; single annotations are not checked yet."""
    try:
        if path.stat().st_size > MAX_COCO_BYTES:
            raise ValueError(f"{path.stat().st_size} bytes")
        content = json.loads(path.read_text(encoding="utf-8"))
        images = {image["id"]: str(image["file_name"]) for image in content["images"]}
        names = {category["id"]: category["name"] for category in content["categories"]}
        coco = _Coco(images, names, list(content["annotations"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError("a COCO file", f"{type(error).__name__}: {error}", path, TODO) from error
    if len(set(images.values())) < len(content["images"]):
        raise InputError("one entry per image", "images of one id or name", path, TODO)
    return coco


def _labels(content: _Coco, wanted: set[str], path: Path) -> dict[str, list[Label]]:
    """Return the labels of the wanted images, in the order in which the file lists them."""
    labels: dict[str, list[Label]] = {
        name: [] for name in content.images.values() if name in wanted
    }
    for annotation in content.annotations:
        name = _image_of(annotation, content, path)
        if name in wanted:
            labels[name].append(_label(annotation, content, path))
    return labels


def _image_of(annotation: Any, content: _Coco, path: Path) -> str:
    """Return the file name of the image that an annotation belongs to."""
    try:
        return content.images[annotation["image_id"]]
    except (KeyError, TypeError) as error:
        raise InputError("annotations of known images", f"{annotation}", path, TODO) from error


def _label(annotation: Any, content: _Coco, path: Path) -> Label:
    """Return the label of an annotation, or raise an InputError."""
    try:
        name = content.class_names[annotation["category_id"]]
        x, y, width, height = (float(value) for value in annotation["bbox"])
        shape = annotation.get("hotspot_shape")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            "annotations with category and bbox", f"{annotation}", path, TODO
        ) from error
    return check_label((x, y, width, height), name, shape, path, TODO)


def write_labels(
    path: Path,
    labels: Mapping[str, Sequence[Label]],
    files: Mapping[str, str],
    sizes_px: Mapping[str, tuple[int, int]],
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
    """
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, (pair_id, of_pair) in enumerate(sorted(labels.items()), 1):
        width, height = sizes_px[pair_id]
        images.append({"id": number, "file_name": files[pair_id], "width": width, "height": height})
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
