"""The manifest: one row per image pair of ``data/``, in Parquet, identical for identical input.

An infrared image alone is a pair without a visible file: its columns of it are null.
"""

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from dd_livm_core.camera_files.images import read_bytes
from dd_livm_core.camera_files.metadata import ImageMetadata, ground_sampling_distance_m
from dd_livm_core.errors import InputError
from dd_livm_core.files import atomic
from dd_livm_core.labels.coco import find_broken_labels, read_labels, read_stated_sizes
from dd_livm_core.labels.label import Label
from dd_livm_core.missions.folder import LABELS, MISSION, image_pairs, read_record
from dd_livm_core.missions.label_columns import find_size_mismatch, summarize_labels
from dd_livm_core.missions.pair_facts import (
    PairFacts,
    PairHashes,
    facts_from_bytes,
    hash_contents,
    read_kept_facts,
    reader_version,
)
from dd_livm_core.missions.pair_files import PairFiles
from dd_livm_core.missions.pair_intake import stamp_of
from dd_livm_core.missions.sites import read_sites
from dd_livm_core.records import Mission, Site

Row = dict[str, Any]
"""A pair's columns; None is what is not known."""
KEY = ["site_id", "mission_id", "pair_id"]
CONDITIONS = [
    "irradiance_w_m2",
    "wind_m_s",
    "ambient_c",
    "infrared_unit",
    "measurement_parameters",
]
"""What was recorded for the mission, the same on all its pairs."""
_STATS = [f"{side}_{stat}" for side in ("infrared", "visible") for stat in ("size_b", "mtime_ns")]
VISIBLE_STATS = _STATS[2:]
NO_FILE = (None, None)
STAT_COLUMNS = [*_STATS, "reader"]
"""By these an unchanged file is known again without reading; they say nothing of its content."""
CONTENT_COLUMNS = [*(field.name for field in fields(PairFacts)), "unreadable"]
FILE_COLUMNS = [*STAT_COLUMNS, *CONTENT_COLUMNS]
"""Read from the files themselves; kept while their size and time stay the same."""
TEXT_COLUMNS = {
    "annotations_sha256",
    "infrared_sha256",
    "visible_sha256",
    "taken_at",
    "camera_model",
    "infrared_dtype",
    "infrared_remark",
    "infrared_unit",
    "labels_broken",
    "measurement_parameters",
    "metadata_dropped",
    "reader",
    "unreadable",
}


def build_manifest(data_root: Path, previous: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return one row per image pair of every mission below ``data_root``, sorted by `KEY`.

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
    known = {} if previous is None or previous.empty else _rows_by_key(previous)
    rows: list[Row] = []
    for mission_file in sorted(data_root.glob(f"*/*/{MISSION}")):
        mission, folder = read_record(mission_file, Mission), mission_file.parent
        in_place = (mission.site_id, mission.mission_id) == folder.parts[-2:]
        if mission.site_id not in sites or not in_place:
            raise InputError(
                "a mission in the folder of its declared site",
                f"site {mission.site_id!r}, mission {mission.mission_id!r}",
                mission_file,
                f"Declare it (`dd-livm sites add {mission.site_id}`) or mend the record.",
            )
        contents = _read_mission(data_root, folder, mission, sites[mission.site_id])
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            rows += pool.map(partial(_pair_row, contents, known), contents.pairs)
    return _table(rows)


def _rows_by_key(manifest: pd.DataFrame) -> dict[tuple[Any, ...], Row]:
    """Return a manifest's rows by `KEY`; a missing value is None, as in a row that is read from files."""
    rows: list[Row] = [
        {str(name): None if pd.isna(value) else value for name, value in row.items()}
        for row in manifest.to_dict("records")
    ]
    return {tuple(row[name] for name in KEY): row for row in rows}


@dataclass(frozen=True)
class _MissionContents:
    """What a mission's folder holds, as far as its rows need it.

    Attributes
    ----------
    reader
        Version of what reads the files, as `reader_version` names it.
    kept_facts
        Facts of earlier readings by the hashes of the files.
    labels, broken_labels
        By pair id: the labels, and why a pair's labels cannot be used.
    labels_px
        By pair id: (width, height) of the frame that the labels' boxes are of, where their file states it.
    """

    data_root: Path
    site: Site
    mission: Mission
    pairs: list[PairFiles]
    reader: str
    kept_facts: Mapping[PairHashes, PairFacts]
    labels: Mapping[str, list[Label]]
    broken_labels: Mapping[str, str]
    labels_px: Mapping[str, tuple[float, float]]


def _read_mission(data_root: Path, folder: Path, mission: Mission, site: Site) -> _MissionContents:
    """Read a mission's kept facts and labels; labels without a pair are not looked at."""
    version = reader_version(mission.infrared_unit, mission.measurement_parameters)
    pairs = image_pairs(folder)
    broken: dict[str, str] = {}
    labels: dict[str, list[Label]] = {}
    labels_px: dict[str, tuple[float, float]] = {}
    if (folder / LABELS).exists():
        broken = find_broken_labels(folder / LABELS)
        readable = {pair.pair_id for pair in pairs} - broken.keys()
        labels = read_labels(folder / LABELS, readable)
        labels_px = read_stated_sizes(folder / LABELS)
    kept = read_kept_facts(folder, version)
    return _MissionContents(
        data_root, site, mission, pairs, version, kept, labels, broken, labels_px
    )


def _pair_row(
    contents: _MissionContents, known: Mapping[tuple[Any, ...], Row], pair: PairFiles
) -> Row:
    """Return a pair's row, with the columns of its row in ``known`` while its files stay the same and were readable."""
    site, mission = contents.site, contents.mission
    before = known.get((site.site_id, mission.mission_id, pair.pair_id))
    stat = {**_stat_columns(pair), "reader": contents.reader}
    same = before is not None and all(before.get(name) == value for name, value in stat.items())
    if before is not None and same and before["unreadable"] is None:
        content = {name: before[name] for name in FILE_COLUMNS}
    else:
        content = {**stat, **_file_columns(pair, mission, contents.kept_facts)}
    return {
        "site_id": site.site_id,
        "mission_id": mission.mission_id,
        "pair_id": pair.pair_id,
        "infrared_path": pair.infrared.relative_to(contents.data_root).as_posix(),
        "visible_path": pair.visible.relative_to(contents.data_root).as_posix()
        if pair.visible
        else None,
        **content,
        "gsd_m": _gsd_m(content),
        "irradiance_w_m2": mission.irradiance_w_m2,
        "wind_m_s": mission.wind_m_s,
        "ambient_c": mission.ambient_c,
        "infrared_unit": str(mission.infrared_unit) if mission.infrared_unit else None,
        "measurement_parameters": str(mission.measurement_parameters) or None,
        "site_latitude_deg": site.latitude_deg,
        "site_longitude_deg": site.longitude_deg,
        "site_radius_m": site.radius_m,
        "labels_broken": contents.broken_labels.get(pair.pair_id)
        or find_size_mismatch(contents.labels_px.get(pair.pair_id), content),
        **summarize_labels(contents.labels.get(pair.pair_id), content),
    }


def _stat_columns(pair: PairFiles) -> dict[str, int | None]:
    """Return sizes and times of a pair's files; None where there is no visible one."""
    infrared, visible = stamp_of(pair.infrared), pair.visible and stamp_of(pair.visible)
    return dict(zip(_STATS, (*(infrared or NO_FILE), *(visible or NO_FILE)), strict=True))


def _file_columns(
    pair: PairFiles,
    mission: Mission,
    kept_facts: Mapping[PairHashes, PairFacts],
) -> Row:
    """Return the content columns of a pair; of unreadable files, the reason and what is known before it."""
    columns: Row = {**dict.fromkeys(CONTENT_COLUMNS), "radiometric": False}
    try:
        contents = [read_bytes(path) for path in pair.paths]
        infrared, *visible = zip(contents, pair.paths, strict=True)
        hashes = hash_contents(contents)
        columns["infrared_sha256"], columns["visible_sha256"] = hashes
        facts = kept_facts.get(hashes) or facts_from_bytes(
            infrared,
            visible[0] if visible else None,
            hashes=hashes,
            declared=mission.infrared_unit,
            parameters=mission.measurement_parameters,
        )
    except InputError as error:
        return {**columns, "unreadable": str(error)}
    return {**columns, **vars(facts)}


def _gsd_m(content: Row) -> float | None:
    """Return the ground sampling distance from a row's own columns, or None where they do not tell it."""
    if content["infrared_width_px"] is None:
        return None
    names = ("relative_altitude_m", "camera_model", "focal_length_mm", "focal_length_35mm_mm")
    size_px = content["infrared_width_px"], content["infrared_height_px"]
    return ground_sampling_distance_m(
        ImageMetadata(*size_px, **{name: content[name] for name in names})
    )


def _table(rows: list[Row]) -> pd.DataFrame:
    """Return the rows as a table sorted by `KEY`; a column's type depends on its name, never on its values."""
    table = pd.DataFrame(rows)
    if table.empty:
        return pd.DataFrame(columns=KEY)
    for name in table.columns:
        if name in TEXT_COLUMNS or name in KEY or name.endswith("_path"):
            table[name] = table[name].astype("string")
        elif table[name].map(lambda value: isinstance(value, bool)).all():
            table[name] = table[name].astype(bool)
        elif name in VISIBLE_STATS:
            table[name] = table[name].astype("Int64")
        elif name.endswith(("_b", "_ns")) or name.startswith("label"):
            table[name] = table[name].astype("int64")
        else:
            table[name] = table[name].astype("float64")
    return table.sort_values(KEY, ignore_index=True)


def content_of(manifest: pd.DataFrame) -> pd.DataFrame:
    """Return the manifest without `STAT_COLUMNS`, which copies of the same files do not share."""
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
