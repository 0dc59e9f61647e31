"""Aligned pairs on disk and on their way into the network."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from dd_livm_core.errors import InputError
from dd_livm_core.labels.coco import read_labels, write_labels
from dd_livm_core.labels.label import Label

INDEX, LABELS = "index.parquet", "labels.json"
SUMMARY = "alignment.json"
"""What became of every pair of the mission."""
ARRAYS = ("infrared_excess", "panel_mask", "visible")
HELD_OUT_SHARE = 0.2


@dataclass(frozen=True)
class AlignedPair:
    """One pair on the infrared grid, ready to be stored.

    Attributes
    ----------
    pv_module_width_px
        Short side of a PV module as its lattice shows it, infrared pixels; None where it does not.
    pv_module_m
        Its short and long side as declared for the site, metres; None for an undeclared site.
    """

    pair_id: str
    site_id: str
    mission_id: str
    infrared_excess: NDArray[np.float32]
    panel_mask: NDArray[np.bool_]
    visible: NDArray[np.uint8]
    radiometric: bool
    status: str
    confidence: float
    reason: str
    matrix: NDArray[np.float64]
    radial: float
    pv_module_width_px: float | None
    pv_module_m: tuple[float, float] | None = None
    irradiance_w_m2: float | None = None
    wind_m_s: float | None = None


@dataclass(frozen=True)
class AlignedMission:
    """A stored mission, memory-mapped: excess (N, H, W) float16, mask (N, H, W) bool, visible (N, H, W, 3) uint8.

    Pairs of another size than the mission's first are stored in its frame, scaled to fit; ``index`` holds each
    pair's ``grid_scale`` (stored pixels per infrared pixel).
    """

    index: pd.DataFrame
    infrared_excess: NDArray[np.float16]
    panel_mask: NDArray[np.bool_]
    visible: NDArray[np.uint8]
    labels: dict[str, list[Label]]


def write_aligned_mission(
    folder: Path, pairs: Iterator[AlignedPair], count: int, labels: Mapping[str, Sequence[Label]]
) -> None:
    """Write a mission's aligned pairs into a folder, one at a time."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    arrays: dict[str, NDArray[Any]] = {}
    shape: tuple[int, int] = (0, 0)
    for number, pair in enumerate(pairs):
        if not arrays:
            shape = (pair.infrared_excess.shape[0], pair.infrared_excess.shape[1])
            kinds = {
                "infrared_excess": (np.float16, shape),
                "panel_mask": (np.bool_, shape),
                "visible": (np.uint8, (*shape, 3)),
            }
            arrays = {
                name: open_memmap(folder / f"{name}.npy", "w+", kind, (count, *size))
                for name, (kind, size) in kinds.items()
            }
        scale = min(
            shape[0] / pair.infrared_excess.shape[0], shape[1] / pair.infrared_excess.shape[1]
        )
        arrays["infrared_excess"][number] = np.clip(
            _fit(pair.infrared_excess, shape, scale), -6e4, 6e4
        )
        arrays["panel_mask"][number] = _fit(pair.panel_mask.astype(np.uint8), shape, scale) > 0
        arrays["visible"][number] = _fit(pair.visible, shape, scale)
        rows.append(_row(pair, scale))
    pd.DataFrame(rows).to_parquet(folder / INDEX, index=False)
    known = {row["pair_id"]: labels.get(str(row["pair_id"])) for row in rows}
    kept = {
        str(pair_id): list(of_pair) for pair_id, of_pair in known.items() if of_pair is not None
    }
    write_labels(
        folder / LABELS,
        kept,
        {p: f"infrared/{p}.npy" for p in kept},
        dict.fromkeys(kept, (shape[1], shape[0])),
    )


def _fit(image: NDArray[Any], shape: tuple[int, int], scale: float) -> NDArray[Any]:
    """Scale an image and put it into the upper left corner of a frame."""
    if image.shape[:2] == shape:
        return image
    size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
    frame = np.zeros((*shape, *image.shape[2:]), image.dtype)
    frame[: size[1], : size[0]] = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return frame


def _row(pair: AlignedPair, scale: float) -> dict[str, object]:
    return {
        "pair_id": pair.pair_id,
        "site_id": pair.site_id,
        "mission_id": pair.mission_id,
        "status": pair.status,
        "confidence": pair.confidence,
        "reason": pair.reason,
        "radiometric": pair.radiometric,
        "pv_module_width_px": pair.pv_module_width_px,
        "pv_module_width_m": pair.pv_module_m[0] if pair.pv_module_m else None,
        "pv_module_height_m": pair.pv_module_m[1] if pair.pv_module_m else None,
        "irradiance_w_m2": pair.irradiance_w_m2,
        "wind_m_s": pair.wind_m_s,
        "grid_scale": scale,
        "radial": pair.radial,
        **{f"matrix_{i}{j}": float(pair.matrix[i, j]) for i in range(3) for j in range(3)},
    }


def read_aligned_mission(folder: Path) -> AlignedMission:
    """Open a stored mission without reading its pixels.

    Raises
    ------
    InputError
        The folder holds no aligned store.
    """
    try:
        index = pd.read_parquet(folder / INDEX)
        arrays: dict[str, Any] = {}
        for name in ARRAYS:
            path = folder / f"{name}.npy"
            arrays[name] = (
                np.load(path, mmap_mode="r", allow_pickle=False) if path.exists() else np.empty(0)
            )
    except (OSError, ValueError) as error:
        raise InputError(
            "an aligned store", str(error), folder, "Align the mission anew."
        ) from error
    return AlignedMission(index, **arrays, labels=read_labels(folder / LABELS))


def held_out_rows(index: pd.DataFrame) -> NDArray[np.bool_]:
    """Mark the pairs of a training site that are kept from training: the last fifth of the flight.

    Frames that follow each other overlap, so that a random choice would leak; one stretch leaks at its seam only.
    """
    order = np.argsort(np.argsort(index["pair_id"].to_numpy(str), kind="stable"), kind="stable")
    return np.asarray(order >= np.ceil(len(index) * (1 - HELD_OUT_SHARE)))
