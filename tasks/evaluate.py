"""Score a detector on one site."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

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
