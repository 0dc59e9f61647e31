"""Writes a mission's labels in the format of a labelling tool."""

from dataclasses import replace
from pathlib import Path

from dd_livm_core.camera_files.frames import read_infrared_frame
from dd_livm_core.errors import InputError
from dd_livm_core.labels.coco import read_labels
from dd_livm_core.labels.label_sets import write_label_set
from dd_livm_core.missions.folder import LABELS, MISSION, image_pairs
from dd_livm_core.records import LabelFormat


def export_labels(mission_dir: Path, kind: LabelFormat, destination: Path) -> int:
    """Write a mission's labels in pixels of the shown pictures, and return the number of labelled pairs.

    Raises
    ------
    InputError
        There is no such mission, or it has no labels.
    """
    if not (mission_dir / MISSION).exists():
        raise InputError("a mission", "none", mission_dir, "`dd-livm sites list` names them.")
    if not (mission_dir / LABELS).exists():
        raise InputError("a labelled mission", "none", mission_dir, "Ingest it with --labels.")
    labels = read_labels(mission_dir / LABELS)
    files = {pair.pair_id: pair.infrared for pair in image_pairs(mission_dir)}
    frames = {
        pair_id: read_infrared_frame(files[pair_id]) for pair_id in labels if pair_id in files
    }
    write_label_set(
        kind,
        destination,
        {
            pair_id: [
                replace(one, box_xywh_px=frame.draw_box(one.box_xywh_px)) for one in labels[pair_id]
            ]
            for pair_id, frame in frames.items()
        },
        {pair_id: f"infrared/{files[pair_id].name}" for pair_id in frames},
        {pair_id: frame.drawn_px for pair_id, frame in frames.items()},
    )
    return len(frames)
