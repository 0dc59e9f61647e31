"""Labels over the infrared frame, in COCO's format with ``hotspot_shape`` beside the class."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from dd_livm_core.errors import InputError
from dd_livm_core.files import write_text
from dd_livm_core.labels.label import Label
from dd_livm_core.records import DEFECT_CLASSES, HOTSPOT_SHAPES

CATEGORIES = [{"id": number, "name": name} for number, name in enumerate(DEFECT_CLASSES, 1)]
MAX_COCO_BYTES = 256 * 2**20
TODO = "Export the labels as COCO, with the categories " + ", ".join(DEFECT_CLASSES) + "."


def read_labels(path: Path, of: Collection[str] | None = None) -> dict[str, list[Label]]:
    """Read a mission's COCO labels by pair id, also of pairs that are labelled as without defects.

    Parameters
    ----------
    of
        Pair ids whose labels are wanted, others are not looked at; by default all.

    Raises
    ------
    InputError
        As `read_coco`, or two images of one pair.
    """
    content = _open(path)
    names = {PurePosixPath(name).stem: name for name in content.images.values()}
    if len(names) < len(content.images):
        raise InputError("one image per pair", f"{len(content.images)}", path, TODO)
    wanted = {name for pair_id, name in names.items() if of is None or pair_id in of}
    labels = _labels(content, wanted, path)
    return {pair_id: labels[name] for pair_id, name in names.items() if name in wanted}


def find_broken_labels(path: Path) -> dict[str, str]:
    """Return why labels cannot be used, by pair id: an unknown class or shape, or no box. Others are not in it.

    Raises
    ------
    InputError
        The file is no COCO file.
    """
    content = _open(path)
    broken: dict[str, str] = {}
    for annotation in content.annotations:
        pair_id = PurePosixPath(_image_of(annotation, content, path)).stem
        try:
            _label(annotation, content, path)
        except InputError as error:
            broken.setdefault(pair_id, f"expected {error.expected}, found {error.found}"[:200])
    return broken


def read_coco(path: Path) -> dict[str, list[Label]]:
    """Read COCO labels by file name; every image of the file is in the result.

    Raises
    ------
    InputError
        The file is no COCO file, or holds an unknown class, shape or a box that is none.
    """
    content = _open(path)
    return _labels(content, set(content.images.values()), path)


@dataclass(frozen=True)
class _Coco:
    """Image id → file name, category id → name, and the annotations as they stand."""

    images: dict[Any, str]
    names: dict[Any, Any]
    annotations: list[Any]


def _open(path: Path) -> _Coco:
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
    labels: dict[str, list[Label]] = {name: [] for name in wanted}
    for annotation in content.annotations:
        name = _image_of(annotation, content, path)
        if name in wanted:
            labels[name].append(_label(annotation, content, path))
    return labels


def _image_of(annotation: Any, content: _Coco, path: Path) -> str:
    try:
        return content.images[annotation["image_id"]]
    except (KeyError, TypeError) as error:
        raise InputError("annotations of known images", f"{annotation}", path, TODO) from error


def _label(annotation: Any, content: _Coco, path: Path) -> Label:
    try:
        name = content.names[annotation["category_id"]]
        x, y, width, height = (float(value) for value in annotation["bbox"])
        shape = annotation.get("hotspot_shape")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            "annotations with category and bbox", f"{annotation}", path, TODO
        ) from error
    if name not in DEFECT_CLASSES:
        raise InputError(f"a class of {', '.join(DEFECT_CLASSES)}", repr(name), path, TODO)
    if shape is not None and shape not in HOTSPOT_SHAPES:
        raise InputError(f"a shape of {', '.join(HOTSPOT_SHAPES)}", repr(shape), path, TODO)
    if not (
        width > 0
        and height > 0
        and -1e6 < x < 1e6
        and -1e6 < y < 1e6
        and width < 1e6
        and height < 1e6
    ):
        raise InputError("a box with positive sides", f"{(x, y, width, height)}", path, TODO)
    return Label((x, y, width, height), name, shape)


def write_labels(
    path: Path,
    labels: Mapping[str, Sequence[Label]],
    files: Mapping[str, str],
    sizes_px: Mapping[str, tuple[int, int]],
) -> None:
    """Write COCO labels atomically.

    Parameters
    ----------
    labels
        pair id → labels.
    files
        pair id → file name relative to the mission.
    sizes_px
        pair id → (width, height).
    """
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, (pair_id, of_pair) in enumerate(sorted(labels.items()), 1):
        width, height = sizes_px[pair_id]
        images.append({"id": number, "file_name": files[pair_id], "width": width, "height": height})
        for label in of_pair:
            annotation: dict[str, Any] = {
                "id": len(annotations) + 1,
                "image_id": number,
                "category_id": DEFECT_CLASSES.index(label.defect_class) + 1,
                "bbox": list(label.box_xywh_px),
                "area": label.box_xywh_px[2] * label.box_xywh_px[3],
                "iscrowd": 0,
            }
            if label.hotspot_shape is not None:
                annotation["hotspot_shape"] = label.hotspot_shape
            annotations.append(annotation)
    content = {"images": images, "annotations": annotations, "categories": CATEGORIES}
    write_text(path, json.dumps(content))
