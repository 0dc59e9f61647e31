"""Align one mission: register its pairs, bring them onto the infrared grid and store them."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from prefect import get_run_logger, task
from pydantic import BaseModel, ConfigDict

from dd_livm_core.aligned.mission import align_mission
from dd_livm_core.aligned.store import BYTES_PER_PIXEL, SUMMARY
from dd_livm_core.files import hash_file, write_json
from dd_livm_core.labels.coco import read_labels
from dd_livm_core.missions.folder import LABELS, MISSION, read_record
from dd_livm_core.missions.manifest import read_manifest
from dd_livm_core.missions.pair_files import PairFiles
from dd_livm_core.missions.sites import read_sites
from dd_livm_core.records import Mission, Progress
from tasks.earlier_rig import EarlierRig, read_earlier_rig
from tasks.manifest import manifest_path
from tasks.progress import StepProgress
from tasks.step import Reference, Step, run_step
from tasks.workspace import Workspace

CAMERAS = [
    "camera_model",
    "focal_length_mm",
    *(f"{camera}_{side}_px" for camera in ("infrared", "visible") for side in ("width", "height")),
]
"""Columns of the manifest by which two missions have the same cameras."""
align_step = Step("align", "2", ("tasks.align",), ignore=("manifest", "processes"))


class MissionInput(BaseModel):
    """One mission as the align step sees it.

    Attributes
    ----------
    pairs, infrared_alone
        Number of pairs, and of those of them that have no visible image.
    pv_module_m
        Short and long side of the site's PV modules, metres.
    sha256
        Hash over the content of its pairs and labels.
    flown_at
        When its first pair was taken, ISO 8601; empty where no file says it.
    cameras
        Camera model, focal length and frame sizes of most pairs, in words; None where the files do not tell the model,
        and for simulated missions, each of which has a rig of its own.
    infrared_px, visible_px
        (height, width) of most pairs' frames.
    earlier
        The rig of the mission flown last before this one with the same cameras; part of the key like all else.
    """

    model_config = ConfigDict(frozen=True)

    site_id: str
    mission_id: str
    pairs: int
    infrared_alone: int
    labelled: bool
    pv_module_m: tuple[float, float]
    sha256: str
    flown_at: str = ""
    cameras: str | None = None
    infrared_px: tuple[int, int] = (0, 0)
    visible_px: tuple[int, int] = (0, 0)
    earlier: EarlierRig | None = None


class AlignedReference(BaseModel):
    """A mission's aligned store; ``status`` counts its pairs by what became of them."""

    model_config = ConfigDict(frozen=True)

    site_id: str
    mission_id: str
    labelled: bool
    store: Reference
    status: dict[str, int]


def list_missions(workspace: Workspace, manifest: Reference) -> list[MissionInput]:
    """Return the missions of a manifest by site and name, labelled or not."""
    rows = read_manifest(manifest_path(workspace, manifest))
    sites = read_sites(workspace.data)
    missions = []
    for (site_id, mission_id), group in rows.groupby(["site_id", "mission_id"], sort=True):
        labels = workspace.data / str(site_id) / str(mission_id) / LABELS
        content = hashlib.sha256((hash_file(labels) if labels.exists() else "no labels").encode())
        for row in group.sort_values("pair_id").itertuples():
            of_pair = (
                *(row.pair_id, row.infrared_sha256, row.visible_sha256, row.infrared_unit),
                *(row.measurement_parameters, row.radiometric),
            )
            weather = (row.irradiance_w_m2, row.wind_m_s)
            content.update(f"{of_pair} {weather}\n".encode())
        missions.append(
            MissionInput(
                site_id=str(site_id),
                mission_id=str(mission_id),
                pairs=len(group),
                infrared_alone=int(group["visible_path"].isna().sum()),
                labelled=labels.exists(),
                pv_module_m=sites[str(site_id)].pv_module_m,
                sha256=content.hexdigest(),
                flown_at=min(group["taken_at"].dropna().astype(str), default=""),
                cameras=None if sites[str(site_id)].simulated else _name_cameras(group),
                infrared_px=_most_common_px(group, "infrared"),
                visible_px=_most_common_px(group, "visible"),
            )
        )
    return missions


def list_trainable(workspace: Workspace, manifest: Reference) -> list[MissionInput]:
    """Return the labelled missions with visible images; log which labelled pairs cannot be trained or scored on."""
    labelled = [mission for mission in list_missions(workspace, manifest) if mission.labelled]
    for mission in labelled:
        if mission.infrared_alone:
            get_run_logger().warning(
                "%s/%s: %d of %d pairs are infrared alone: inspected only, not trained or scored on",
                mission.site_id,
                mission.mission_id,
                mission.infrared_alone,
                mission.pairs,
            )
    return [mission for mission in labelled if mission.infrared_alone < mission.pairs]


def size_of_new_stores_b(
    workspace: Workspace, missions: list[MissionInput], manifest: Reference
) -> int:
    """Return how many bytes the aligned stores of the missions take that are not aligned yet."""
    rows = read_manifest(manifest_path(workspace, manifest))
    pixels = (rows["infrared_width_px"] * rows["infrared_height_px"]).groupby(
        [rows["site_id"], rows["mission_id"]]
    )
    sizes_px = pixels.sum()
    flown: list[tuple[MissionInput, Path]] = []
    needed_b = 0
    for mission in sorted(missions, key=_by_time):
        mission = with_earlier_rig(mission, flown)
        folder = workspace.step_folder("align", _key(workspace, mission))
        flown.append((mission, folder))
        if not folder.exists():
            pixels_px = int(sizes_px[(mission.site_id, mission.mission_id)])
            needed_b += pixels_px * BYTES_PER_PIXEL
    return needed_b


def align_all(
    workspace: Workspace, missions: list[MissionInput], manifest: Reference, processes: int
) -> list[AlignedReference]:
    """Align missions in the order in which they were flown, each with what earlier ones tell of its rig.

    Returns
    -------
    Their aligned stores, in the order of ``missions``.
    """
    flown: list[tuple[MissionInput, Path]] = []
    aligned: dict[tuple[str, str], AlignedReference] = {}
    for mission in sorted(missions, key=_by_time):
        mission = with_earlier_rig(mission, flown)
        found = run_step(align, workspace, mission, manifest, processes)
        flown.append((mission, found.store.folder(workspace)))
        aligned[mission.site_id, mission.mission_id] = found
    return [aligned[mission.site_id, mission.mission_id] for mission in missions]


def with_earlier_rig(
    mission: MissionInput, flown: Sequence[tuple[MissionInput, Path]]
) -> MissionInput:
    """Return a mission with the rig of the last one in ``flown``, with the same cameras, that tells one.

    ``flown`` holds missions and their aligned stores in the order of their flights; a store may not be there yet.
    """
    for other, folder in reversed(flown):
        if not mission.cameras or other.cameras != mission.cameras:
            continue
        if rig := read_earlier_rig(folder, other.infrared_px, other.visible_px):
            return mission.model_copy(update={"earlier": rig})
    return mission


def _most_common_px(rows: pd.DataFrame, camera: str) -> tuple[int, int]:
    """Return the (height, width) that most of a mission's frames of a camera have; zeros where none is known."""
    sizes = rows[[f"{camera}_height_px", f"{camera}_width_px"]].dropna().astype(int)
    most = sizes.value_counts().index[0] if len(sizes) else (0, 0)
    return int(most[0]), int(most[1])


def _by_time(mission: MissionInput) -> tuple[str, str, str]:
    return mission.flown_at, mission.site_id, mission.mission_id


def _name_cameras(rows: pd.DataFrame) -> str | None:
    """Return what tells the cameras of most of a mission's pairs from others, or None where no model is known."""
    names = rows[CAMERAS].map(str).agg(" ".join, axis=1)  # what is missing, too
    most = str(names.mode().iloc[0])
    known = rows[names == most]["camera_model"].notna().all()
    return most if known else None


def _key(workspace: Workspace, mission: MissionInput) -> str:
    return align_step.key({"workspace": workspace, "mission": mission})


def _pair_files(workspace: Workspace, rows: pd.DataFrame, mission_dir: Path) -> list[PairFiles]:
    """Return the files of a mission's rows of the manifest, by pair id."""
    mission = read_record(mission_dir / MISSION, Mission)
    files = []
    for row in rows.sort_values("pair_id").itertuples():
        visible = row.visible_path if isinstance(row.visible_path, str) else None
        files.append(
            PairFiles(
                str(row.pair_id),
                workspace.data / str(row.infrared_path),
                workspace.data / visible if visible else None,
                "name" if visible else None,
                infrared_unit=mission.infrared_unit,
                measurement_parameters=mission.measurement_parameters,
                irradiance_w_m2=_float_or_none(row.irradiance_w_m2),
                wind_m_s=_float_or_none(row.wind_m_s),
            )
        )
    return files


@task(
    name="align",
    version="2",
    task_run_name="align {mission.site_id}/{mission.mission_id}",
    cache_key_fn=align_step,
    persist_result=True,
    result_serializer="json",
)
def align(
    workspace: Workspace, mission: MissionInput, manifest: Reference, processes: int
) -> AlignedReference:
    """Align one mission's accepted pairs and return its aligned store.

    ``processes`` work on pairs; their number does not change the result.
    """
    rows = read_manifest(manifest_path(workspace, manifest))
    rows = rows[(rows["site_id"] == mission.site_id) & (rows["mission_id"] == mission.mission_id)]
    mission_dir = workspace.data / mission.site_id / mission.mission_id
    labels_path = mission_dir / LABELS
    accepted = set(rows["pair_id"].astype(str))
    labels = read_labels(labels_path, accepted) if labels_path.exists() else None
    progress: Progress = StepProgress(
        f"align-{mission.site_id}-{mission.mission_id}".lower().replace("_", "-").replace(".", "-"),
        f"{mission.site_id}/{mission.mission_id}",
    )

    def write(folder: Path) -> str:
        summary = align_mission(
            _pair_files(workspace, rows, mission_dir),
            folder,
            site_id=mission.site_id,
            mission_id=mission.mission_id,
            pv_module_m=mission.pv_module_m,
            labels=labels,
            earlier=mission.earlier.as_mission() if mission.earlier else None,
            processes=processes,
            progress=progress,
        )
        write_json(folder / SUMMARY, summary.as_json())
        return summary.describe_unreadable()

    store = align_step.produce(workspace, {"workspace": workspace, "mission": mission}, write)
    counts = json.loads((store.folder(workspace) / SUMMARY).read_text(encoding="utf-8"))["counts"]
    get_run_logger().info("%s/%s: %s", mission.site_id, mission.mission_id, counts)
    return AlignedReference(
        site_id=mission.site_id,
        mission_id=mission.mission_id,
        labelled=mission.labelled,
        store=store,
        status=counts,
    )


def _float_or_none(value: Any) -> float | None:
    """Return a cell of a table as a number, or None where it is empty."""
    return None if pd.isna(value) else float(value)
