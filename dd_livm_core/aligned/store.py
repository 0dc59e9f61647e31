"""The aligned store of a mission: its pairs on the infrared grid, as arrays on disk, with an index and labels."""

import errno
import os
import shutil
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
BYTES_PER_PIXEL = 2 + 1 + 3
"""Of a stored pair: excess, mask and visible colour."""
HELD_OUT_SHARE = 0.2
"""Share of a training site's pairs that is held out; a fifth is a common choice, not measured here."""
MOST_EXCESS = 6e4
"""Excess is clipped to this either way: float16 holds up to 65504."""


@dataclass(frozen=True)
class AlignedPair:
    """One pair on the infrared grid (H, W), as it is stored.

    Attributes
    ----------
    infrared_excess
        float32 (H, W), K over the healthy panel; multiples of the panels' spread if not ``radiometric``; 0 off panels.
    panel_mask
        bool (H, W), where panels are.
    visible
        uint8 (H, W, 3) RGB, black where the visible camera saw nothing.
    status, confidence, reason, matrix, radial
        As in :class:`dd_livm_core.registration.placement.Alignment`.
    pv_module_width_px
        Short side of a PV module in infrared pixels; None where no lattice was found.
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
    """A stored mission of N pairs, its arrays memory-mapped.

    Pairs of another size than the mission's first are scaled to fit its frame (H, W).

    Attributes
    ----------
    index
        One row per pair: what :class:`AlignedPair` holds but the images, ``matrix_00`` to ``matrix_22``, and
        ``grid_scale``, stored pixels per infrared pixel.
    infrared_excess
        float16 (N, H, W), as in :class:`AlignedPair`.
    panel_mask
        bool (N, H, W).
    visible
        uint8 (N, H, W, 3) RGB.
    labels
        Pair id → labels in infrared pixels, not scaled; pairs that nobody labelled are absent.
    """

    index: pd.DataFrame
    infrared_excess: NDArray[np.float16]
    panel_mask: NDArray[np.bool_]
    visible: NDArray[np.uint8]
    labels: dict[str, list[Label]]


def write_aligned_mission(
    folder: Path, pairs: Iterator[AlignedPair], count: int, labels: Mapping[str, Sequence[Label]]
) -> None:
    """Write a mission's ``count`` aligned pairs into a folder, one at a time, with the labels of these pairs."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    arrays: dict[str, NDArray[Any]] = {}
    shape: tuple[int, int] = (0, 0)
    for number, pair in enumerate(pairs):
        height, width = pair.infrared_excess.shape
        if not arrays:
            shape = (height, width)
            arrays = _create_arrays(folder, count, shape)
        scale = min(shape[0] / height, shape[1] / width)
        excess = _scale_to_fit(pair.infrared_excess, shape, scale)
        mask = _scale_to_fit(pair.panel_mask.astype(np.uint8), shape, scale)
        arrays["infrared_excess"][number] = np.clip(excess, -MOST_EXCESS, MOST_EXCESS)
        arrays["panel_mask"][number] = mask > 0
        arrays["visible"][number] = _scale_to_fit(pair.visible, shape, scale)
        rows.append(_index_row(pair, scale))
    pd.DataFrame(rows).to_parquet(folder / INDEX, index=False)
    stored = [str(row["pair_id"]) for row in rows]
    kept = {pair_id: list(labels[pair_id]) for pair_id in stored if pair_id in labels}
    write_labels(
        folder / LABELS,
        kept,
        {p: f"infrared/{p}.npy" for p in kept},
        dict.fromkeys(kept, (shape[1], shape[0])),
    )


def _create_arrays(folder: Path, count: int, shape: tuple[int, int]) -> dict[str, NDArray[Any]]:
    """Create the files of ``count`` pairs' arrays, and return these, memory-mapped, by name.

    Raises
    ------
    OSError
        The disk has no room for them: told before anything is written.
    """
    kinds = {
        "infrared_excess": (np.float16, shape),
        "panel_mask": (np.bool_, shape),
        "visible": (np.uint8, (*shape, 3)),
    }
    arrays: dict[str, NDArray[Any]] = {}
    for name, (kind, size) in kinds.items():
        path = folder / f"{name}.npy"
        arrays[name] = open_memmap(path, "w+", kind, (count, *size))
        _take_room(path)
    return arrays


def _take_room(path: Path) -> None:
    """Take a mapped file's room on the disk: a page for which there is none later ends the process with SIGBUS."""
    with path.open("r+b") as stream:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(stream.fileno(), 0, path.stat().st_size)
        elif shutil.disk_usage(path.parent).free < path.stat().st_size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


def _scale_to_fit(image: NDArray[Any], shape: tuple[int, int], scale: float) -> NDArray[Any]:
    """Return an image scaled into the upper left corner of a frame of shape (H, W), the rest 0."""
    if image.shape[:2] == shape:
        return image
    size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
    frame = np.zeros((*shape, *image.shape[2:]), image.dtype)
    frame[: size[1], : size[0]] = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return frame


def _index_row(pair: AlignedPair, scale: float) -> dict[str, object]:
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
    """Open a stored mission; its pixels are read when they are used.

    Raises
    ------
    InputError
        The folder holds no aligned store, or a damaged one.
    """
    try:
        index = pd.read_parquet(folder / INDEX)
        arrays: dict[str, Any] = {}
        for name in ARRAYS:
            arrays[name] = _open_array(folder / f"{name}.npy", len(index))
    except (OSError, ValueError) as error:
        raise InputError(
            "an aligned store", str(error), folder, "Align the mission anew."
        ) from error
    return AlignedMission(index, **arrays, labels=read_labels(folder / LABELS))


def _open_array(path: Path, count: int) -> NDArray[Any]:
    """Return a stored array of ``count`` pairs, memory-mapped; a store of no pair has no file.

    Raises
    ------
    ValueError
        The file is missing, damaged or of another number of pairs.
    """
    if not count and not path.exists():
        return np.empty(0)
    try:
        array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise ValueError(f"{path.name}: {error}") from error
    if len(array) != count:
        raise ValueError(f"{path.name} of {len(array)} pairs, {INDEX} of {count}")
    return array


def held_out_rows(index: pd.DataFrame) -> NDArray[np.bool_]:
    """Mark the rows of an index that are held out from training, bool (N,): the last fifth of the flight by pair id.

    Frames that follow each other overlap, so that a random choice would leak; one stretch leaks at its seam only.
    """
    order = np.argsort(np.argsort(index["pair_id"].to_numpy(str), kind="stable"), kind="stable")
    return np.asarray(order >= np.ceil(len(index) * (1 - HELD_OUT_SHARE)))
