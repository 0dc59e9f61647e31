"""What augmentation takes of a real training step, and how long training waits for data."""

import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from dd_livm_core.batches import Augmentation, TrainingPairs
from dd_livm_core.dtft import train_stage
from dd_livm_core.fleet.truth_files import read_truth_arrays
from dd_livm_core.hotspots import excess_temperature
from dd_livm_core.labels import Label
from dd_livm_core.pairs import AlignedPair, write_aligned_mission
from dd_livm_core.training_configuration import TrainingConfig

MOST_PAIRS = 80
EPOCHS = 2


def write_store(truth_root: Path, folder: Path) -> Path:
    """Write frames of several sites as an aligned store; the visible image is grey, as only time is measured."""
    pairs: list[tuple[AlignedPair, list[Label]]] = []
    for mission in sorted(truth_root.glob("*/*")):
        hotspots = pd.read_parquet(mission / "hotspots.parquet")
        geometry = pd.read_parquet(mission / "truth.parquet").set_index("pair_id")
        for pair_id, true in list(hotspots.groupby("pair_id"))[: MOST_PAIRS // 9]:
            mask, _, celsius = read_truth_arrays(mission / f"{pair_id}.npz")
            width_px = float(min(geometry.loc[pair_id, ["module_along_px", "module_across_px"]]))
            labels = [
                Label(
                    (row.x_px, row.y_px, row.width_px, row.height_px),
                    row.defect_class,
                    row.hotspot_shape,
                )
                for row in true.itertuples()
            ]
            site_id, name = mission.parent.name, f"{mission.parent.name}_{pair_id}"
            excess = excess_temperature(celsius, mask, True)
            grey = np.full((*mask.shape, 3), 90, np.uint8)
            pair = AlignedPair(
                name, site_id, mission.name, excess, mask, grey, True, "aligned", 1.0, "",
                np.eye(3), 0.0, width_px,
            )  # fmt: skip
            pairs.append((pair, labels))
    labels_of = {pair.pair_id: labels for pair, labels in pairs}
    write_aligned_mission(folder, (pair for pair, _ in pairs), len(pairs), labels_of)
    return folder


def step_shares(truth_root: Path, folder: Path) -> dict[str, float]:
    """Train each stage of DTFT for two epochs; return shares of its second one's time, in percent."""
    store = write_store(truth_root, folder / "store")
    threads = torch.get_num_threads()
    config = TrainingConfig(
        epochs_stage_1=EPOCHS,
        epochs_stage_2=EPOCHS,
        epochs_stage_3=EPOCHS,
        torch_threads=threads,
    )
    heat_s = _heat_s(TrainingPairs([store], config))
    shares: dict[str, float] = {}
    weights = None
    for stage in (1, 2, 3):
        ended: list[float] = []
        waits: list[float] = []

        def on_epoch(
            record: dict[str, float], ended: list[float] = ended, waits: list[float] = waits
        ) -> None:
            ended.append(time.perf_counter())
            waits.append(record["data_wait_share"])

        result = train_stage(  # type: ignore[arg-type]
            stage, [store], config, folder / f"stage_{stage}", weights, on_epoch
        )
        weights = result.weights
        epoch_s = ended[-1] - ended[-2]
        shares[f"augmentation_share_of_step_stage_{stage}"] = round(100 * heat_s / epoch_s, 1)
        shares[f"data_wait_share_stage_{stage}"] = round(100 * waits[-1], 1)
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
