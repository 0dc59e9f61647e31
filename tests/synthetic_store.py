"""A small synthetic aligned store: discs and bars of heat on panels, with or without dirt in view.

Neither image alone tells the class. Heat is a block for one half of the classes and a stripe for the other;
the visible image shows dirt on external defects and nothing at all on internal ones:

    weeds: block + green, dust: stripe + brown, breakage: block + white lines,
    open_circuit: block + nothing, diode_failure: stripe + nothing.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from dd_livm_core.aligned.store import AlignedPair, write_aligned_mission
from dd_livm_core.labels.label import Label
from dd_livm_core.records import DEFECT_CLASSES, DefectClass, HotspotShape

HEIGHT, WIDTH = 96, 128
PANEL = np.array([40, 50, 80])
SHAPES: dict[DefectClass, HotspotShape] = {
    "weeds": "block",
    "dust": "stripe",
    "breakage": "block",
    "open_circuit": "block",
    "diode_failure": "stripe",
}
COLOURS: dict[DefectClass, tuple[int, int, int]] = {
    "weeds": (60, 170, 50),
    "dust": (170, 130, 80),
    "breakage": (245, 245, 245),
}


def synthetic_pair(
    number: int, seed: int, site_id: str = "synthetic", *, defects: int = 2
) -> tuple[AlignedPair, list[Label]]:
    """Return one pair with its labels."""
    rng = np.random.default_rng([seed, number])
    excess = rng.normal(0, 0.3, (HEIGHT, WIDTH)).astype(np.float32)
    visible = np.clip(PANEL + rng.normal(0, 5, (HEIGHT, WIDTH, 3)), 0, 255).astype(np.uint8)
    labels = []
    for place in range(defects):
        defect_class = DEFECT_CLASSES[int(rng.integers(len(DEFECT_CLASSES)))]
        shape = SHAPES[defect_class]
        width, height = (18, 16) if shape == "block" else (8, 30)
        x = int(rng.integers(4 + 64 * place, 64 * place + 60 - width))
        y = int(rng.integers(4, HEIGHT - height - 4))
        excess[y : y + height, x : x + width] += rng.uniform(8, 14)
        if defect_class in COLOURS:
            visible[y : y + height, x : x + width] = COLOURS[defect_class]
        if defect_class == "breakage":
            visible[y + 2 : y + height : 4, x : x + width] = PANEL
        labels.append(Label((float(x), float(y), float(width), float(height)), defect_class, shape))
    mask = np.ones((HEIGHT, WIDTH), bool)
    pair_id = f"pair_{number:03d}"
    matrix, module_px = np.eye(3), 24.0
    pair = AlignedPair(
        pair_id,
        site_id,
        "first",
        excess,
        mask,
        visible,
        True,
        "aligned",
        0.9,
        "",
        matrix,
        0.0,
        module_px,
    )
    return pair, labels


def write_synthetic_store(folder: Path, *, count: int = 10, seed: int = 0) -> Path:
    """Write an aligned store of ``count`` labelled pairs."""
    made = [synthetic_pair(number, seed) for number in range(count)]

    def pairs() -> Iterator[AlignedPair]:
        yield from (pair for pair, _ in made)

    write_aligned_mission(folder, pairs(), count, {pair.pair_id: labels for pair, labels in made})
    return folder
