"""The augmentation arms on the simulated fleet: whole sites left out, infrared crops of hotspots.

    python -m benchmarks.augmentation_fleet [--folds 9] [--steps 100] [--seeds 1 2 3]

Nine folds leave one site out; fewer leave several out at a time. Five defect classes from
infrared alone: weeds, dust and breakage differ little there, so accuracies are low for every arm.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import torch

from benchmarks.augmentation_arms import ARMS, Crops, compare
from benchmarks.augmentation_shapes import fleet_crops, fleet_truth
from benchmarks.results_file import write_result

FLEET_SEED = 31
PV_MODULE_WIDTH_M = 1.05


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folds", type=int, default=9)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        excess, classes, sites = fleet_crops(fleet_truth(Path(folder), FLEET_SEED), FLEET_SEED)
    names, label = np.unique(classes, return_inverse=True)
    crops = Crops(excess, label, tuple(map(str, names)), True, PV_MODULE_WIDTH_M / 24, (24.0, 41.0))
    fold_of = np.unique(sites, return_inverse=True)[1] % arguments.folds
    folds = [
        (np.flatnonzero(fold_of != k), np.flatnonzero(fold_of == k)) for k in np.unique(fold_of)
    ]
    arms = compare(
        crops, folds, arguments.seeds, arguments.steps, [int(np.argmin(np.bincount(label)))]
    )
    figures: dict[str, float | int | str | None] = {"crops": len(label), "folds": len(folds)}
    for arm in ARMS:
        figures[f"{arm}_accuracy"] = arms[arm]["accuracy"]  # type: ignore[assignment]
        figures[f"{arm}_shifted_accuracy"] = arms[arm]["shifted_accuracy"]  # type: ignore[assignment]
    print(write_result("augmentation_fleet", seeds=arguments.seeds, figures=figures, arms=arms))


if __name__ == "__main__":
    main()
