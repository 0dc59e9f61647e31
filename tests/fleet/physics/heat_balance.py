"""The heat that enters a PV module against the heat that leaves it."""

from unittest.mock import patch

import numpy as np

from dd_livm_core.fleet.station.defects import Workshop
from dd_livm_core.records import DEFECT_CLASSES


def measure_energy_errors(workshop: Workshop, seeds: int) -> list[float]:
    """Return the relative difference of both, |left / entered - 1|, for every defect drawn that gives heat.

    Each class is drawn with so many seeds.
    """
    sheet, solve = workshop.sheet, workshop.sheet.excess_k
    errors: list[float] = []

    def solve_and_compare(source_w_m2: np.ndarray) -> np.ndarray:
        excess_k = solve(source_w_m2)
        if source_w_m2.sum() > 0:
            left = excess_k.sum() * sheet.losses_w_m2k
            errors.append(float(abs(left / source_w_m2.sum() - 1)))
        return excess_k

    with patch.object(sheet, "excess_k", solve_and_compare):
        for defect_class in DEFECT_CLASSES:
            for seed in range(seeds):
                workshop.make(defect_class, np.random.default_rng(seed))
    return errors
