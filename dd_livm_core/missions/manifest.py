"""The manifest: one row per image pair of ``data/``, in Parquet, identical for identical input."""

import hashlib
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path
from typing import Any

import pandas as pd

from dd_livm_core.camera_files.images import read_bytes
from dd_livm_core.camera_files.metadata import ImageMetadata, ground_sampling_distance_m
from dd_livm_core.errors import InputError
from dd_livm_core.files import atomic
from dd_livm_core.labels.coco import broken_labels, read_labels
from dd_livm_core.labels.label import Label
from dd_livm_core.missions.folder import LABELS, MISSION, image_pairs, read_record
from dd_livm_core.missions.pair_facts import PairFacts, facts_from_bytes, read_kept_facts, reader
from dd_livm_core.missions.pair_files import PairFiles
from dd_livm_core.missions.sites import read_sites
from dd_livm_core.records import DEFECT_CLASSES, DeclaredUnit, Mission, Site

KEY = ["site_id", "mission_id", "pair_id"]
CONDITIONS = ["irradiance_w_m2", "wind_m_s", "ambient_c", "infrared_unit"]
"""What was recorded for the mission, the same on all its pairs."""
STAT_COLUMNS = [
    "infrared_size_b",
    "infrared_mtime_ns",
    "visible_size_b",
    "visible_mtime_ns",
    "reader",
]
"""Only there to know a file again without reading it: they say nothing of the content."""
CONTENT_COLUMNS = [*(field.name for field in fields(PairFacts)), "unreadable"]
FILE_COLUMNS = [*STAT_COLUMNS, *CONTENT_COLUMNS]
"""What is read from the files themselves, and kept while their size and time stay the same."""
TEXT = {
    "annotations_sha256",
    "infrared_sha256",
    "visible_sha256",
    "taken_at",
    "camera_model",
    "infrared_dtype",
    "infrared_unit",
    "labels_broken",
    "reader",
    "unreadable",
}


def build_manifest(data_root: Path, previous: pd.DataFrame | None = None) -> pd.DataFrame:
    """Look at every mission below ``data_root`` and return one row per pair.

    Parameters
    ----------
    previous
        An earlier manifest of the same folder: files of unchanged size and time are not read again.

    Raises
    ------
    InputError
        A mission lies in a site that is not declared, or a record or label file is broken.
    """
    sites = read_sites(data_root)
    known = {}
    if previous is not None and not previous.empty:
        rows_before: list[dict[str, Any]] = [
            {str(name): None if pd.isna(value) else value for name, value in row.items()}
            for row in previous.to_dict("records")
        ]
        known = {tuple(row[k] for k in KEY): row for row in rows_before}
    rows: list[dict[str, Any]] = []
    for mission_file in sorted(data_root.glob(f"*/*/{MISSION}")):
        mission = read_record(mission_file, Mission)
        folder = mission_file.parent
        if (
            mission.site_id not in sites
            or (mission.site_id, mission.mission_id) != folder.parts[-2:]
        ):
            raise InputError(
                "a mission in the folder of its declared site",
                f"site {mission.site_id!r}, mission {mission.mission_id!r}",
                mission_file,
                f"Declare it (`dd-livm sites add {mission.site_id}`) or mend the record.",
            )
        rows += _mission_rows(data_root, folder, mission, sites[mission.site_id], known)
    return _table(rows)


def _mission_rows(
    data_root: Path,
    folder: Path,
    mission: Mission,
    site: Site,
    known: dict[tuple[Any, ...], dict[str, Any]],
) -> list[dict[str, Any]]:
    by = reader(mission.infrared_unit)
    kept = read_kept_facts(folder, by)
    pairs = image_pairs(folder)
    labelled = (folder / LABELS).exists()
    broken = broken_labels(folder / LABELS) if labelled else {}
    whole = {pair.pair_id for pair in pairs} - broken.keys()
    labels = read_labels(folder / LABELS, whole) if labelled else {}

    def row(pair: PairFiles) -> dict[str, Any]:
        pair_id, infrared, visible = pair.pair_id, pair.infrared, pair.visible
        before = known.get((site.site_id, mission.mission_id, pair_id))
        stat = {**_stat_columns(infrared, visible), "reader": by}
        if before is not None and all(before.get(name) == value for name, value in stat.items()):
            content = {name: before[name] for name in FILE_COLUMNS}
        else:
            content = {**stat, **_file_columns(infrared, visible, mission.infrared_unit, kept)}
        return {
            "site_id": site.site_id,
            "mission_id": mission.mission_id,
            "pair_id": pair_id,
            "infrared_path": infrared.relative_to(data_root).as_posix(),
            "visible_path": visible.relative_to(data_root).as_posix(),
            **content,
            "gsd_m": _gsd_m(content),
            "irradiance_w_m2": mission.irradiance_w_m2,
            "wind_m_s": mission.wind_m_s,
            "ambient_c": mission.ambient_c,
            "infrared_unit": str(mission.infrared_unit) if mission.infrared_unit else None,
            "site_latitude_deg": site.latitude_deg,
            "site_longitude_deg": site.longitude_deg,
            "site_radius_m": site.radius_m,
            "labels_broken": broken.get(pair_id),
            **_label_columns(labels.get(pair_id), content),
        }

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return list(pool.map(row, pairs))


def _stat_columns(infrared: Path, visible: Path) -> dict[str, int]:
    stats = {"infrared": infrared.stat(), "visible": visible.stat()}
    return {
        f"{side}_{name}": value
        for side, stat in stats.items()
        for name, value in (("size_b", stat.st_size), ("mtime_ns", stat.st_mtime_ns))
    }


def _file_columns(
    infrared: Path,
    visible: Path,
    declared: DeclaredUnit | None,
    kept: dict[tuple[str, str], PairFacts],
) -> dict[str, Any]:
    columns: dict[str, Any] = {**dict.fromkeys(CONTENT_COLUMNS), "radiometric": False}
    try:
        contents = read_bytes(infrared), read_bytes(visible)
        hashes = (hashlib.sha256(contents[0]).hexdigest(), hashlib.sha256(contents[1]).hexdigest())
        columns["infrared_sha256"], columns["visible_sha256"] = hashes
        facts = kept.get(hashes) or facts_from_bytes(
            contents[0], infrared, contents[1], visible, hashes=hashes, declared=declared
        )
    except InputError as error:
        return {**columns, "unreadable": str(error)}
    return {**columns, **vars(facts)}


def _gsd_m(content: Mapping[str, Any]) -> float | None:
    """Return the ground sampling distance from a row's own columns, or None where they do not tell it."""
    if content["infrared_width_px"] is None:
        return None
    names = ("relative_altitude_m", "camera_model", "focal_length_mm", "focal_length_35mm_mm")
    size_px = content["infrared_width_px"], content["infrared_height_px"]
    return ground_sampling_distance_m(
        ImageMetadata(*size_px, **{name: content[name] for name in names})
    )


def _label_columns(labels: list[Label] | None, content: dict[str, Any]) -> dict[str, Any]:
    counts = {f"labels_{name}": 0 for name in DEFECT_CLASSES}
    for label in labels or []:
        counts[f"labels_{label.defect_class}"] += 1
    width, height = content["infrared_width_px"], content["infrared_height_px"]
    outside = 0
    if width is not None and height is not None:
        boxes = [label.box_xywh_px for label in labels or []]
        outside = sum(
            x < -1 or y < -1 or x + w > width + 1 or y + h > height + 1 for x, y, w, h in boxes
        )
    return {
        "labelled": labels is not None,
        "label_count": len(labels or []),
        "annotations_sha256": _labels_hash(labels),
        "labels_outside_frame": outside,
        **counts,
    }


def _labels_hash(labels: list[Label] | None) -> str | None:
    """Name the labels of one pair by their content, whatever their order."""
    if labels is None:
        return None
    boxes = sorted(
        repr((x.defect_class, x.hotspot_shape, [float(v) for v in x.box_xywh_px])) for x in labels
    )
    return hashlib.sha256("\n".join(boxes).encode()).hexdigest()


def _table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Give every column one type, whatever the rows hold."""
    table = pd.DataFrame(rows)
    if table.empty:
        return pd.DataFrame(columns=KEY)
    for name in table.columns:
        if name in TEXT or name in KEY or name.endswith("_path"):
            table[name] = table[name].astype("string")
        elif table[name].map(lambda value: isinstance(value, bool)).all():
            table[name] = table[name].astype(bool)
        elif name.endswith(("_b", "_ns")) or name.startswith("label"):
            table[name] = table[name].astype("int64")
        else:
            table[name] = table[name].astype("float64")
    return table.sort_values(KEY, ignore_index=True)


def content_of(manifest: pd.DataFrame) -> pd.DataFrame:
    """Return the manifest without what a copy of the same files would not share."""
    return manifest.drop(columns=STAT_COLUMNS)


def write_manifest(manifest: pd.DataFrame, path: Path) -> None:
    """Write a manifest as Parquet in one move."""
    with atomic(path) as unfinished:
        manifest.to_parquet(unfinished, index=False)


def read_manifest(path: Path) -> pd.DataFrame:
    """Read a manifest.

    Raises
    ------
    InputError
        The file is missing or no Parquet file.
    """
    try:
        return pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise InputError(
            "a manifest in Parquet", str(error), path, "Remove it: it is made anew."
        ) from error
