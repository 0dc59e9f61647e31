"""What an aligned mission tells of the next one with the same cameras, as it enters the next one's key."""

import json
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict

from dd_livm_core.aligned.store import SUMMARY
from dd_livm_core.registration.earlier_mission import EarlierMission
from dd_livm_core.registration.frame_sizes import FrameSizes
from dd_livm_core.registration.rig import RigGeometry

LEAST_CONFIDENCE, LEAST_PAIRS = 0.95, 5
"""A mission tells its rig where so many pairs are this sure. Chosen: the surest class that
``python -m benchmarks.alignment`` tables."""
NEAR_PX, LEAST_NEIGHBOURS = 10.0, 2
"""An offset counts where so many others lie within this distance, visible px of a frame 640 px wide: a single pair may
have been moved by a gust."""


class EarlierRig(BaseModel):
    """Rig and offsets of an earlier mission, rounded to what moves no pixel by 0.1 px; sizes are (height, width)."""

    model_config = ConfigDict(frozen=True)

    scale: float
    rotation_deg: float
    infrared_px: tuple[int, int]
    visible_px: tuple[int, int]
    offsets_px: tuple[tuple[float, float], ...]

    def as_mission(self) -> EarlierMission:
        """Return it as the registration takes it."""
        return EarlierMission(
            RigGeometry(self.scale, self.rotation_deg),
            FrameSizes(self.infrared_px, self.visible_px),
            np.array(self.offsets_px).reshape(-1, 2),
        )


def read_earlier_rig(
    store: Path, infrared_px: tuple[int, int], visible_px: tuple[int, int]
) -> EarlierRig | None:
    """Return what a mission's aligned store tells of its cameras; None where it is missing or too few pairs are sure.

    ``infrared_px`` and ``visible_px`` are the (height, width) of most pairs' frames.
    """
    path = store / SUMMARY
    if not path.exists():
        return None
    summary = json.loads(path.read_text(encoding="utf-8"))
    rig = summary["rig"]
    offsets = np.array(
        [
            pair["offset_px"]
            for pair in summary["pairs"]
            if pair["status"] in ("aligned", "consensus")
            and pair["confidence"] >= LEAST_CONFIDENCE
            and abs(pair["scale"] - rig["scale"]) < 1e-6
        ]
    ).reshape(-1, 2)
    if len(offsets) < LEAST_PAIRS:
        return None
    away = np.linalg.norm(offsets[:, None] - offsets, axis=2)
    near_px = NEAR_PX * visible_px[1] / 640
    kept = offsets[(away <= near_px).sum(axis=1) > LEAST_NEIGHBOURS]
    if len(kept) < LEAST_PAIRS:
        return None
    return EarlierRig(
        scale=round(rig["scale"], 5),
        rotation_deg=round(rig["rotation_deg"], 3),
        infrared_px=infrared_px,
        visible_px=visible_px,
        offsets_px=tuple(sorted({(round(float(x), 1), round(float(y), 1)) for x, y in kept})),
    )
