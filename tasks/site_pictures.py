"""Draw a few pairs of a scored site: detections and labels, and how well the first pair is aligned."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from prefect import task
from pydantic import BaseModel, ConfigDict

from dd_livm_core.aligned.store import AlignedMission, read_aligned_mission
from dd_livm_core.inspection.overlays import checkerboard
from dd_livm_core.inspection.pictures import detection_picture, infrared_picture, write_picture
from dd_livm_core.labels.boxes import xyxy_of_xywh
from tasks.evaluate import SiteScore
from tasks.step import Reference, Step
from tasks.workspace import Workspace

SHOWN = 2
"""Pairs drawn of a site; few, as each is an image on Prefect's page and in MLflow. Chosen."""

pictures_step = Step("site_pictures", "1", ("tasks.site_pictures",))


class SitePictures(BaseModel):
    """The stored pictures of one site."""

    model_config = ConfigDict(frozen=True)

    site_id: str
    result: Reference


@task(
    name="site_pictures",
    version="1",
    task_run_name="draw {score.site_id}",
    cache_key_fn=pictures_step,
    persist_result=True,
    result_serializer="json",
)
def draw_site(workspace: Workspace, score: SiteScore, stores: list[Reference]) -> SitePictures:
    """Draw the pairs with most labels, and the alignment of the first; return where the pictures lie."""

    def write(folder: Path) -> None:
        predictions = json.loads(score.predictions_file(workspace).read_text(encoding="utf-8"))
        missions = {s.sha256: read_aligned_mission(s.folder(workspace)) for s in stores}
        most_labels = sorted(predictions, key=lambda pair: -len(pair["labels"]))[:SHOWN]
        for number, pair in enumerate(most_labels):
            _draw_pair(folder, number, pair, missions[pair["store"]])

    parameters = {"workspace": workspace, "score": score, "stores": stores}
    result = pictures_step.produce(workspace, parameters, write)
    return SitePictures(site_id=score.site_id, result=result)


def _draw_pair(folder: Path, number: int, pair: dict[str, Any], mission: AlignedMission) -> None:
    """Write the detections of a pair, as evaluation wrote it, and the alignment of the first pair, number 0."""
    row = mission.index["pair_id"].astype(str).tolist().index(pair["pair_id"])
    scale = float(mission.index.iloc[row]["grid_scale"])
    excess, mask = mission.infrared_excess[row], mission.panel_mask[row]
    visible, found = mission.visible(row), pair["detections"]
    boxes = np.array([one["box_xyxy_px"] for one in found], np.float64).reshape(-1, 4)
    picture = detection_picture(
        excess,
        mask,
        visible,
        scale * boxes,
        [one["defect_class"] for one in found],
        [one["score"] for one in found],
        scale * xyxy_of_xywh([label["box_xywh_px"] for label in pair["labels"]]),
    )
    write_picture(folder / f"detections_{number}_{pair['pair_id']}.jpg", picture)
    if number == 0 and visible is not None:
        board = checkerboard(infrared_picture(excess, mask), visible)
        write_picture(folder / f"alignment_{pair['pair_id']}.jpg", board)
