"""Draw the page on which a person judges a mission's alignment: the worst pairs first."""

import base64
import json
from pathlib import Path
from typing import Any

import cv2
from jinja2 import Environment, PackageLoader
from numpy.typing import NDArray
from prefect import task
from pydantic import BaseModel, ConfigDict

from dd_livm_core.aligned.store import SUMMARY, AlignedMission, read_aligned_mission
from dd_livm_core.inspection.overlays import checkerboard, draw_outline
from dd_livm_core.inspection.pictures import infrared_picture
from tasks.step import Reference, Step
from tasks.workspace import Workspace

PAGE = "alignment.html"
PICTURES = 12
"""Pairs that are drawn at most, so that the page, which holds them, stays small. Chosen."""
WIDTH_PX = 480
"""Width of a picture on the page. Chosen."""
JPEG_QUALITY = 82
"""0 to 100. Chosen."""
ORDER = ("failed", "ambiguous", "consensus", "aligned")
"""Statuses of pairs, worst first."""

page_step = Step("alignment_page", "1", ("tasks.alignment_page",))


class AlignmentPage(BaseModel):
    """The stored alignment page of one mission."""

    model_config = ConfigDict(frozen=True)

    site_id: str
    mission_id: str
    result: Reference

    def page(self, workspace: Workspace) -> Path:
        """Return the HTML file."""
        return self.result.folder(workspace) / PAGE


@task(
    name="alignment_page",
    version="1",
    task_run_name="draw alignment of {site_id}/{mission_id}",
    cache_key_fn=page_step,
    persist_result=True,
    result_serializer="json",
)
def draw_alignment(
    workspace: Workspace, site_id: str, mission_id: str, store: Reference
) -> AlignmentPage:
    """Write the alignment page of one mission from its aligned store, and return where it lies."""
    name = f"{site_id}/{mission_id}"

    def write(folder: Path) -> None:
        aligned = store.folder(workspace)
        write_alignment_page(folder / PAGE, read_aligned_mission(aligned), aligned / SUMMARY, name)

    parameters = {"workspace": workspace, "name": name, "store": store}
    result = page_step.produce(workspace, parameters, write)
    return AlignmentPage(site_id=site_id, mission_id=mission_id, result=result)


def write_alignment_page(target: Path, mission: AlignedMission, summary: Path, name: str) -> None:
    """Write a mission's page from its stored pixels and its summary; it holds its pictures and loads nothing."""
    content = json.loads(summary.read_text(encoding="utf-8"))
    pairs = sorted(
        content["pairs"],
        key=lambda pair: (ORDER.index(pair["status"]), pair["confidence"], pair["pair_id"]),
    )
    rows = {str(pair_id): row for row, pair_id in enumerate(mission.index.get("pair_id", []))}
    shown = [p for p in pairs if p["pair_id"] in rows and p["status"] != "failed"][:PICTURES]
    environment = Environment(loader=PackageLoader("tasks"), autoescape=True)
    page = environment.get_template(PAGE).render(
        name=name,
        counts=content["counts"],
        pairs=pairs,
        unreadable=content["unreadable"],
        infrared_only=content["infrared_only"],
        pictures=[{**pair, "url": _draw_as_url(mission, rows[pair["pair_id"]])} for pair in shown],
        rig=content["rig"],
    )
    target.write_text(page, encoding="utf-8")


def _draw_as_url(mission: AlignedMission, row: int) -> str:
    """Return the checkerboard of a stored pair with a visible image as a ``data:`` URL, which holds its bytes."""
    visible = mission.visible(row)
    assert visible is not None, "only pairs that were registered are drawn"
    infrared = infrared_picture(mission.infrared_excess[row], mission.panel_mask[row])
    board = draw_outline(checkerboard(infrared, visible), mission.panel_mask[row])
    height = round(board.shape[0] * WIDTH_PX / board.shape[1])
    small: NDArray[Any] = cv2.resize(board, (WIDTH_PX, height), interpolation=cv2.INTER_AREA)
    _, jpeg = cv2.imencode(".jpg", small[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return "data:image/jpeg;base64," + base64.b64encode(jpeg.tobytes()).decode()
