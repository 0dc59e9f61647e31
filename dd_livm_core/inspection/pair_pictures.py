"""Write pictures of every inspected pair: its findings and, where it has a visible image, how well it is aligned."""

from pathlib import Path

from dd_livm_core.inspection.findings import Finding, Inspection
from dd_livm_core.inspection.overlays import checkerboard
from dd_livm_core.inspection.pictures import detection_picture, infrared_picture, write_picture
from dd_livm_core.labels.boxes import xyxy_of_xywh


def write_pair_pictures(inspection: Inspection, folder: Path) -> None:
    """Write ``<pair>.jpg`` of every pair into a folder, and ``<pair>_alignment.jpg`` of those with a visible image.

    One pair is in memory at a time.
    """
    store = inspection.store
    by_pair: dict[str, list[Finding]] = {}
    for finding in inspection.findings:
        by_pair.setdefault(finding.pair_id, []).append(finding)
    for row, entry in enumerate(store.index.to_dict("records")):
        pair_id = str(entry["pair_id"])
        found = by_pair.get(pair_id, [])
        boxes_px = xyxy_of_xywh([(f.x_px, f.y_px, f.width_px, f.height_px) for f in found])
        excess, mask = store.infrared_excess[row], store.panel_mask[row]
        visible = store.visible(row)
        picture = detection_picture(
            excess,
            mask,
            visible,
            float(entry["grid_scale"]) * boxes_px,
            [f.defect_class for f in found],
            [f.confidence for f in found],
        )
        write_picture(folder / f"{pair_id}.jpg", picture)
        if visible is not None:
            board = checkerboard(infrared_picture(excess, mask), visible)
            write_picture(folder / f"{pair_id}_alignment.jpg", board)
