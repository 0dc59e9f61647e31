"""What augmentation takes of a real training step, and how long training waits for data."""

import time
from pathlib import Path

import numpy as np
import torch

from benchmarks.augmentation_shapes import true_frames
from dd_livm_core.aligned.store import AlignedPair, write_aligned_mission
from dd_livm_core.labels.label import Label
from dd_livm_core.panels.excess import excess_temperature
from dd_livm_core.training.augmentation import Augmentation
from dd_livm_core.training.batches import TrainingPairs
from dd_livm_core.training.configuration import TrainingConfig
from dd_livm_core.training.loop import train_stage

PAIRS_PER_MISSION = 8
EPOCHS = 2


def write_store(truth_root: Path, folder: Path) -> Path:
    """Write frames of several sites as an aligned store; the visible image is grey, as only time is measured."""
    pairs: list[tuple[AlignedPair, list[Label]]] = []
    for frame in true_frames(truth_root, PAIRS_PER_MISSION):
        labels = [
            Label(
                (row.x_px, row.y_px, row.width_px, row.height_px),
                row.defect_class,
                row.hotspot_shape,
            )
            for row in frame.hotspots.itertuples()
        ]
        pair = AlignedPair(
            f"{frame.site_id}_{frame.pair_id}",
            frame.site_id,
            frame.mission_id,
            excess_temperature(frame.celsius, frame.panel_mask, True),
            frame.panel_mask,
            np.full((*frame.panel_mask.shape, 3), 90, np.uint8),
            True,
            "aligned",
            1.0,
            "",
            np.eye(3),
            0.0,
            frame.module_px[0],
        )
        pairs.append((pair, labels))
    labels_of = {pair.pair_id: labels for pair, labels in pairs}
    write_aligned_mission(folder, (pair for pair, _ in pairs), len(pairs), labels_of)
    return folder


def step_shares(truth_root: Path, folder: Path) -> dict[str, float]:
    """Train each stage of DTFT for two epochs; return shares of its second one's time, in percent."""
    store = write_store(truth_root, folder / "store")
    config = TrainingConfig(
        epochs_stage_1=EPOCHS,
        epochs_stage_2=EPOCHS,
        epochs_stage_3=EPOCHS,
        torch_threads=torch.get_num_threads(),
    )
    heat_s = _heat_s(TrainingPairs([store], config))
    shares: dict[str, float] = {}
    weights = None
    ended_s: list[float] = []
    wait_share: list[float] = []

    def on_epoch(record: dict[str, float]) -> None:
        ended_s.append(time.perf_counter())
        wait_share.append(record["data_wait_share"])

    for stage in (1, 2, 3):
        work_dir = folder / f"stage_{stage}"
        weights = train_stage(stage, [store], config, work_dir, weights, on_epoch).weights  # type: ignore[arg-type]
        heat = 100 * heat_s / (ended_s[-1] - ended_s[-2])
        shares[f"augmentation_share_of_step_stage_{stage}"] = round(heat, 1)
        shares[f"data_wait_share_stage_{stage}"] = round(100 * wait_share[-1], 1)
    return shares


def _heat_s(pairs: TrainingPairs) -> float:
    """Return how much longer an epoch's examples take with `HotspotWeather` than without."""
    examples = [pairs.example(number) for number in range(len(pairs))]
    spent = {}
    for on in (True, False):
        augmentation = Augmentation(pairs.config.model_copy(update={"hotspot_augmentation": on}))
        started_s = time.perf_counter()
        for number, example in enumerate(examples):
            augmentation(example, [0, number])
        spent[on] = time.perf_counter() - started_s
    return max(spent[True] - spent[False], 0.0)
