"""Label sets of all formats, damaged in one file and read again."""

import json
import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dd_livm_core.camera_files.frames import ImageFrame
from dd_livm_core.errors import InputError
from dd_livm_core.labels.image_names import ImageNames
from dd_livm_core.labels.label import Label, lies_in_frame
from dd_livm_core.labels.label_sets import LabelSet, read_label_set, write_label_set
from tests.damage.verdict import REFUSED, SAME, TOLD, UNTOLD, Verdict

SIZE_PX = (640, 512)
FRAME = ImageFrame(SIZE_PX, SIZE_PX)
LABELS = {
    "DJI_0001": [
        Label((120.5, 80.25, 33.0, 20.0), "open_circuit", "block"),
        Label((400.0, 300.0, 12.0, 9.0), "dust", "patch"),
        Label((31.0, 407.0, 64.0, 18.0), "diode_failure", "stripe"),
    ],
    "DJI_0002": [Label((222.0, 111.0, 40.0, 41.0), "weeds", "patch")],
    "DJI_0003": [],
}
IMAGES = ImageNames({pair_id: (pair_id, f"{pair_id}_T") for pair_id in LABELS})
READABLE = ("coco", "coco with outlines", "labelme", "voc")
"""Formats whose files close what they open, so that a cut shows; YOLO's lines do not."""


@dataclass(frozen=True)
class LabelFiles:
    """A label set by file name, the file that is damaged, and what the set holds when it is whole."""

    kind: str
    files: Mapping[str, bytes]
    damaged: str
    whole: LabelSet


def make_label_files(folder: Path) -> list[LabelFiles]:
    """Return whole label sets of every format; YOLO also with its class list as what will be damaged."""
    names = {pair_id: f"{pair_id}_T.JPG" for pair_id in LABELS}
    sizes = dict.fromkeys(LABELS, SIZE_PX)
    found = []
    for kind in ("coco", "yolo", "voc"):
        path = folder / (f"{kind}.json" if kind == "coco" else kind)
        write_label_set(kind, path, LABELS, names, sizes)  # type: ignore[arg-type]
        files = [path] if path.is_file() else sorted(path.iterdir())
        found.append((kind, {file.name: file.read_bytes() for file in files}))
    coco = json.loads(found[0][1]["coco.json"])
    del found[1][1]["DJI_0001.shapes"]
    labelme = {f"{pair_id}.json": _labelme(pair_id) for pair_id in LABELS}
    made = [
        ("coco", found[0][1], "coco.json"),
        ("coco with outlines", {"a.json": _with_outlines(coco)}, "a.json"),
        ("yolo", found[1][1], "DJI_0001.txt"),
        ("yolo's classes", found[1][1], "classes.txt"),
        ("voc", found[2][1], "DJI_0001.xml"),
        ("labelme", labelme, "DJI_0001.json"),
    ]
    return [
        LabelFiles(kind, files, damaged, _read(folder / "whole", files))
        for kind, files, damaged in made
    ]


def _with_outlines(coco: dict) -> bytes:  # type: ignore[type-arg]
    """Return a COCO file with an outline beside each box, one value a line as some tools write it."""
    for annotation in coco["annotations"]:
        x, y, width, height = annotation["bbox"]
        annotation["segmentation"] = [[x, y, x + width, y, x + width, y + height, x, y + height]]
    return json.dumps(coco, indent=1).encode()


def _labelme(pair_id: str) -> bytes:
    """Return a labelme file of one image."""
    shapes = []
    for label in LABELS[pair_id]:
        x, y, width, height = label.box_xywh_px
        corners = [[x, y], [x + width, y + height]]
        shapes.append({"label": label.defect_class, "points": corners, "shape_type": "rectangle"})
    said = {"shapes": shapes, "imagePath": f"{pair_id}_T.JPG"}
    said |= {"imageWidth": SIZE_PX[0], "imageHeight": SIZE_PX[1]}
    return json.dumps(said, indent=2).encode()


def _read(folder: Path, files: Mapping[str, bytes]) -> LabelSet:
    """Return what a label set of these files holds."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    is_file = len(files) == 1
    return read_label_set(
        folder / next(iter(files)) if is_file else folder, IMAGES, lambda _: FRAME
    )


def judge_labels(of: LabelFiles, broken: bytes, kind: str, folder: Path) -> Verdict:
    """Read a set with one file damaged; anything but an InputError is raised."""
    try:
        found = _read(folder, {**of.files, of.damaged: broken})
    except InputError:
        return Verdict(REFUSED)
    told = len(found.set_aside) + len(found.unmatched)
    whole, now = (_count(labels.labels) for labels in (of.whole, found))
    new, lost = now - whole, whole - now
    doubled = [label for label, count in now.items() if count > 1]
    outside = [label for _, label in now if not lies_in_frame(label, *SIZE_PX)]
    fault = None
    if doubled or outside:
        fault = f"{'the same label twice' if doubled else 'a box outside the frame'}: {(doubled or outside)[0]}"
    emptied = [p for p, of_pair in found.labels.items() if not of_pair and of.whole.labels[p]]
    if of.kind in READABLE and not told and ((kind == "cut" and new) or (emptied and not new)):
        fault = f"a file that is cut or without its labels: {emptied}"  # one that moved is in `new`
    if new:
        return Verdict(UNTOLD, "another box or class", fault)
    if lost and not told:
        return Verdict(UNTOLD, "a label lost", fault)
    return Verdict(TOLD if lost or told else SAME, fault=fault)


def _count(labels: Mapping[str, list[Label]]) -> Counter[tuple[str, Label]]:
    """Return how often each image has each label, boxes to a thousandth of a pixel, without shapes."""
    return Counter(
        (pair_id, Label(tuple(round(v, 3) for v in label.box_xywh_px), label.defect_class))  # type: ignore[arg-type]
        for pair_id, of_pair in labels.items()
        for label in of_pair
    )
