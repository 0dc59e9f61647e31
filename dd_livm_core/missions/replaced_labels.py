"""Sets the labels of replaced images aside, so that they never stand on the new ones."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from dd_livm_core.errors import InputError
from dd_livm_core.files import write_json, write_text
from dd_livm_core.missions.folder import LABELS

REPLACED_LABELS = "labels_of_replaced_images_{}.json"


@dataclass(frozen=True)
class LabelsAside:
    """Labels that were taken out of a mission's ``labels.json``.

    Attributes
    ----------
    pair_ids
        Pairs that were labelled and are not any more.
    kept_in
        COCO file in the mission's folder that holds their labels now, or None where no pair lost any.
    """

    pair_ids: tuple[str, ...] = ()
    kept_in: Path | None = None


def set_labels_aside(mission_dir: Path, pair_ids: Collection[str]) -> LabelsAside:
    """Move the labels of pairs from a mission's ``labels.json`` to a new COCO file beside it.

    Raises
    ------
    InputError
        ``labels.json`` is no COCO file.
    """
    labels = mission_dir / LABELS
    if not pair_ids or not labels.exists():
        return LabelsAside()
    content = _read(labels)
    rest, moved = _split(content, pair_ids)
    names = tuple(sorted(_pair_id(image) for image in moved["images"]))
    if not names:
        return LabelsAside()
    number = 1
    while (kept_in := mission_dir / REPLACED_LABELS.format(number)).exists():
        number += 1
    write_json(kept_in, moved)  # first: a break between the two loses nothing
    write_text(labels, json.dumps(rest))
    return LabelsAside(names, kept_in)


def put_labels_back(
    mission_dir: Path, aside: LabelsAside, pair_ids: Collection[str]
) -> LabelsAside:
    """Move the labels of pairs that were not replaced after all back to ``labels.json``; return what stays aside."""
    back = set(pair_ids) & set(aside.pair_ids)
    if not back or aside.kept_in is None:
        return aside
    labels = mission_dir / LABELS
    rest, moved = _split(_read(aside.kept_in), back)
    content = _read(labels)
    for key in ("images", "annotations"):
        content[key] = [*content[key], *moved[key]]
    write_text(labels, json.dumps(content))
    if not rest["images"]:
        aside.kept_in.unlink()
        return LabelsAside()
    write_json(aside.kept_in, rest)
    return LabelsAside(tuple(name for name in aside.pair_ids if name not in back), aside.kept_in)


def list_set_aside(mission_dir: Path) -> set[str]:
    """Return the ids of the pairs whose labels were ever set aside.

    Raises
    ------
    InputError
        A file of such labels is broken.
    """
    files = mission_dir.glob(REPLACED_LABELS.format("*"))
    return {_pair_id(image) for path in files for image in _read(path)["images"]}


def list_labelled(mission_dir: Path) -> set[str]:
    """Return the ids of the pairs that a mission's ``labels.json`` names; none where there is no such file.

    Raises
    ------
    InputError
        It is no COCO file.
    """
    labels = mission_dir / LABELS
    if not labels.exists():
        return set()
    return {_pair_id(image) for image in _read(labels)["images"]}


def _read(path: Path) -> dict[str, Any]:
    """Return the content of a COCO file as it stands, broken labels included."""
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        for image in content["images"]:
            image["id"], image["file_name"]
        for annotation in content["annotations"]:
            annotation["image_id"]
        return content
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            "a COCO file", str(error), path, "Mend it, or move it away and give --labels anew."
        ) from error


def _split(
    content: dict[str, Any], pair_ids: Collection[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a COCO file's content without the images of some pairs, and with these alone."""
    of_pairs = {image["id"] for image in content["images"] if _pair_id(image) in pair_ids}
    rest, alone = (
        {
            **content,
            "images": [x for x in content["images"] if (x["id"] in of_pairs) is wanted],
            "annotations": [
                x for x in content["annotations"] if (x["image_id"] in of_pairs) is wanted
            ],
        }
        for wanted in (False, True)
    )
    return rest, alone


def _pair_id(image: dict[str, Any]) -> str:
    """Return the id of the pair that an image of a mission's label file belongs to."""
    return PurePosixPath(str(image["file_name"])).stem
