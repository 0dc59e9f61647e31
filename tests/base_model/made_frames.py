"""Makes frames of panels with hotspots at known places."""

import numpy as np

from dd_livm_core.base_model.crops import TrainingFrame

BOXES = np.array([[60.0, 50, 8, 8], [150, 110, 8, 8]])
MODULE_PX = 30.0


def made_frame(plant: str = "plant") -> TrainingFrame:
    """Return a frame of 240 x 180: a panel with a grid of frames and two hot squares, and cooler ground around."""
    rng = np.random.default_rng(3)
    values = rng.normal(10, 0.5, (180, 240)).astype(np.float32)
    panel = np.zeros((180, 240), bool)
    panel[20:160, 20:220] = True
    values[panel] += 20
    values[20:160:30, 20:220] -= 5
    values[20:160, 20:220:50] -= 5
    for x, y, width, height in BOXES.astype(int):
        values[y : y + height, x : x + width] += 15
    return TrainingFrame(
        plant=plant,
        values=values,
        panel=panel,
        ignored=np.zeros((180, 240), bool),
        sure_xywh_px=BOXES,
        doubtful_xywh_px=np.zeros((0, 4)),
        module_short_px=MODULE_PX,
    )
