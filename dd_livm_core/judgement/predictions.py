"""A detector over an aligned mission, batch by batch: evaluation and inspection see the same detections."""

from collections.abc import Iterator, Sequence

import numpy as np

from dd_livm_core.aligned.store import AlignedMission
from dd_livm_core.model.detections import Detections
from dd_livm_core.model.detector import Detector
from dd_livm_core.model.prediction import BATCH_PAIRS, predict


def predict_store(
    model: Detector, mission: AlignedMission, rows: Sequence[int]
) -> Iterator[tuple[int, Detections]]:
    """Yield each wanted row of an aligned mission with its detections; memory holds one batch.

    Parameters
    ----------
    rows
        Rows of the mission's index.
    """
    for start in range(0, len(rows), BATCH_PAIRS):
        chosen = list(rows[start : start + BATCH_PAIRS])
        found = predict(
            model,
            np.asarray(mission.infrared_excess[chosen], np.float32),
            np.asarray(mission.visible[chosen]),
            np.asarray(mission.panel_mask[chosen]),
        )
        yield from zip(chosen, found, strict=True)
