"""Says what the manifest keeps of a pair's labels; a row's other columns tell the size of the image."""

import hashlib
from collections.abc import Mapping
from typing import Any

from dd_livm_core.labels.label import Label, lies_in_frame
from dd_livm_core.records import DEFECT_CLASSES


def find_size_mismatch(
    labels_px: tuple[float, float] | None, content: Mapping[str, Any]
) -> str | None:
    """Return that labels are of a frame of another size than the image has, or None where they fit or no size is said.

    So it is where a reader that was not there before gives another raster, or somebody edited the file.
    """
    size_px = content["infrared_width_px"], content["infrared_height_px"]
    if labels_px is None or None in size_px or labels_px == size_px:
        return None
    return "expected labels of {:g} x {:g} px, found {:g} x {:g}: ingest them again".format(
        *size_px, *labels_px
    )


def summarize_labels(labels: list[Label] | None, content: Mapping[str, Any]) -> dict[str, Any]:
    """Return counts and hash of a pair's labels; None says that the pair is not labelled."""
    counts = {f"labels_{name}": 0 for name in DEFECT_CLASSES}
    for label in labels or []:
        counts[f"labels_{label.defect_class}"] += 1
    width, height = content["infrared_width_px"], content["infrared_height_px"]
    outside = 0
    if width is not None and height is not None:
        outside = sum(not lies_in_frame(label, width, height) for label in labels or [])
    return {
        "labelled": labels is not None,
        "label_count": len(labels or []),
        "annotations_sha256": _labels_hash(labels),
        "labels_outside_frame": outside,
        **counts,
    }


def _labels_hash(labels: list[Label] | None) -> str | None:
    """Return SHA-256 of a pair's labels, the same in whatever order they stand."""
    if labels is None:
        return None
    boxes = sorted(
        repr((x.defect_class, x.hotspot_shape, [float(v) for v in x.box_xywh_px])) for x in labels
    )
    return hashlib.sha256("\n".join(boxes).encode()).hexdigest()
