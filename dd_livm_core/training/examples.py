"""Read labelled pairs at the network's input size."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dd_livm_core.aligned.store import AlignedMission
from dd_livm_core.labels.label import label_boxes_xyxy_px
from dd_livm_core.model.network_input import PairPixels, resize_to_input
from dd_livm_core.records import DEFECT_CLASSES, HOTSPOT_SHAPES
from dd_livm_core.training.configuration import TrainingConfig

UNKNOWN_SHAPE = -1
"""Target of a label without a shape: no loss looks at it."""


@dataclass(frozen=True)
class Example:
    """One labelled pair.

    Attributes
    ----------
    pixels
        At the network's input size.
    boxes
        (n, 4) float32: x0, y0, x1, y1 in input pixels.
    targets
        (n, 2) int64: index of the defect class, and of the hotspot shape or ``UNKNOWN_SHAPE``.
    weather
        What is known of the flight and of the PV modules, as `HotspotWeather` takes it.
    """

    pixels: PairPixels
    boxes: NDArray[np.float32]
    targets: NDArray[np.int64]
    weather: dict[str, Any]


def is_usable(mission: AlignedMission, row: int) -> bool:
    """Return whether a pair is labelled and its alignment is trusted; one without a visible image never is."""
    entry = mission.index.iloc[row]
    return str(entry["pair_id"]) in mission.labels and entry["status"] in ("aligned", "consensus")


def read_example(mission: AlignedMission, row: int, config: TrainingConfig) -> Example:
    """Return one stored, labelled pair with a visible image, resized to the network's input with its labels."""
    entry, visible = mission.index.iloc[row], mission.visible(row)
    assert visible is not None, "pairs without a visible image are not usable"
    size_px = (config.input_width_px, config.input_height_px)
    excess = mission.infrared_excess[row]
    # input pixels per infrared pixel: stored per infrared, times input per stored
    scale = np.array([size_px[0] / excess.shape[1], size_px[1] / excess.shape[0]] * 2)
    scale *= float(entry["grid_scale"])
    labels = mission.labels[str(entry["pair_id"])]
    targets = [
        (
            DEFECT_CLASSES.index(label.defect_class),
            HOTSPOT_SHAPES.index(label.hotspot_shape) if label.hotspot_shape else UNKNOWN_SHAPE,
        )
        for label in labels
    ]
    return Example(
        resize_to_input(excess, visible, mission.panel_mask[row], size_px),
        np.asarray(label_boxes_xyxy_px(labels) * scale, np.float32),
        np.array(targets, np.int64).reshape(-1, 2),
        _read_weather(entry, float(scale[0])),
    )


def _read_weather(entry: "pd.Series[Any]", scale: float) -> dict[str, Any]:
    """Return what is known of flight and PV modules; `HotspotWeather` draws what is missing.

    Parameters
    ----------
    scale
        Input pixels per infrared pixel.
    """
    known = {
        name: float(entry[name])
        for name in ("irradiance_w_m2", "wind_m_s", "pv_module_width_px")
        if pd.notna(entry[name])
    }
    weather: dict[str, Any] = {"radiometric": bool(entry["radiometric"]), **known}
    if "pv_module_width_px" not in known:
        return weather
    width_px = weather["pv_module_width_px"] = known["pv_module_width_px"] * scale
    width_m, height_m = entry["pv_module_width_m"], entry["pv_module_height_m"]
    if pd.notna(width_m) and pd.notna(height_m):
        weather["pixel_m"] = float(width_m) / width_px
        weather["pv_module_height_px"] = width_px * float(height_m) / float(width_m)
    return weather
