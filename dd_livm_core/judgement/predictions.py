"""Run a detector over an aligned mission, batch by batch; evaluation and inspection both do it here."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from dd_livm_core.aligned.store import AlignedMission, held_out_rows
from dd_livm_core.labels.label import Label
from dd_livm_core.model.detections import Detections
from dd_livm_core.model.detector import Detector
from dd_livm_core.model.prediction import BATCH_PAIRS, predict


@dataclass(frozen=True)
class Outcome:
    """One labelled pair with what was detected in it, both in infrared pixels."""

    pair_id: str
    detections: Detections
    labels: tuple[Label, ...]


def predict_store(
    model: Detector, mission: AlignedMission, rows: Sequence[int]
) -> Iterator[tuple[int, Detections]]:
    """Yield each wanted row of an aligned mission with its detections, at any threshold, in infrared pixels.

    One batch of pairs is in memory at a time.

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
            [mission.visible(row) for row in chosen],
            np.asarray(mission.panel_mask[chosen]),
        )
        for row, detections in zip(chosen, found, strict=True):
            yield row, detections.rescale(1 / float(mission.index.iloc[row]["grid_scale"]))


def predict_labelled(
    model: Detector, mission: AlignedMission, *, held_out: bool
) -> Iterator[Outcome]:
    """Yield the outcome of every labelled pair of a mission that has a visible image.

    Parameters
    ----------
    held_out
        True takes only the pairs that are held out from training; False takes all.
    """
    pair_ids = mission.index["pair_id"].astype(str).tolist() if len(mission.index) else []
    wanted = (
        held_out_rows(mission.index)
        if held_out
        else [mission.visible(row) is not None for row in range(len(pair_ids))]
    )
    rows = [row for row, name in enumerate(pair_ids) if name in mission.labels and wanted[row]]
    for row, detections in predict_store(model, mission, rows):
        name = pair_ids[row]
        yield Outcome(name, detections, tuple(mission.labels[name]))
