"""Score a detector on one site."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from prefect import get_run_logger, task
from pydantic import BaseModel, ConfigDict

from dd_livm_core.detector import Detections, load_detector, predict
from dd_livm_core.evaluation import score_site
from dd_livm_core.labels import Label
from dd_livm_core.pairs import AlignedMission, held_out_rows, read_aligned_mission
from dd_livm_core.pictures import detection_picture, write_picture
from tasks.step import Reference, Step
from tasks.workspace import Workspace

BATCH = 8
SHOWN = 3
SCORES = "scores.json"

evaluate_step = Step("evaluate", "1", ("tasks.evaluate",))


class SiteScore(BaseModel):
    """The four numbers of one site, in percent, and where pictures of it lie."""

    model_config = ConfigDict(frozen=True)

    site_id: str
    unseen: bool
    metrics: dict[str, float]
    result: Reference

    def folder(self, workspace: Workspace) -> Path:
        """Return where the site's scores and pictures lie."""
        return self.result.folder(workspace)
