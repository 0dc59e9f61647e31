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
VISIBLE_ROW = "visible_row"
"""Column of the index: a pair's row of the visible images, null where it has none."""
INFRARED_ONLY = "infrared_only"
"""Status of a pair without a visible file; one whose registration failed has no visible image in the store either."""
ARRAYS = {
    "infrared_excess": "infrared_excess.npy",
    "panel_mask": "panel_mask.npy",
    "visible_images": "visible.npy",
}
"""Files of the arrays; one without a row has none."""
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
        uint8 (H, W, 3) RGB, black where the visible camera saw nothing; None where no visible image is registered.
    status, confidence, reason, matrix, radial
        As in :class:`dd_livm_core.registration.placement.Alignment`, or the status `INFRARED_ONLY`. The matrix is None
        where no visible image is registered.
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
    visible: NDArray[np.uint8] | None
    radiometric: bool
    status: str
    confidence: float
    reason: str
    matrix: NDArray[np.float64] | None
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
        One row per pair: what :class:`AlignedPair` holds but the images, ``matrix_00`` to ``matrix_22``,
        ``grid_scale``, stored pixels per infrared pixel, and `VISIBLE_ROW`.
    infrared_excess
        float16 (N, H, W), as in :class:`AlignedPair`.
    panel_mask
        bool (N, H, W).
    visible_images
        uint8 (V, H, W, 3) RGB, of the V pairs that have one; `visible` returns a pair's.
    labels
        Pair id → labels in infrared pixels, not scaled; pairs that nobody labelled are absent.
    """

    index: pd.DataFrame
    infrared_excess: NDArray[np.float16]
    panel_mask: NDArray[np.bool_]
    visible_images: NDArray[np.uint8]
    labels: dict[str, list[Label]]

    def visible(self, row: int) -> NDArray[np.uint8] | None:
        """Return the visible image of a pair of the index, uint8 (H, W, 3) RGB, or None where none is registered."""
        at = self.index[VISIBLE_ROW].iloc[row]
        return None if pd.isna(at) else np.asarray(self.visible_images[int(at)])


def write_aligned_mission(
    folder: Path,
    pairs: Iterator[AlignedPair],
    count: int,
    labels: Mapping[str, Sequence[Label]],
    *,
    with_visible: int | None = None,
) -> None:
    """Write a mission's ``count`` aligned pairs into a folder, one at a time, with the labels of these pairs.

    Parameters
    ----------
    with_visible
        How many of the pairs have a visible image; by default all.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, object]] = []
    seen = 0
    arrays: dict[str, NDArray[Any]] = {}
    shape: tuple[int, int] = (0, 0)
    for number, pair in enumerate(pairs):
        height, width = pair.infrared_excess.shape
        if not arrays:
            shape = (height, width)
            arrays = _create_arrays(
                folder, count, count if with_visible is None else with_visible, shape
            )
        scale = min(shape[0] / height, shape[1] / width)
        excess = _scale_to_fit(pair.infrared_excess, shape, scale)
        mask = _scale_to_fit(pair.panel_mask.astype(np.uint8), shape, scale)
        arrays["infrared_excess"][number] = np.clip(excess, -MOST_EXCESS, MOST_EXCESS)
        arrays["panel_mask"][number] = mask > 0
        rows.append(_index_row(pair, scale))
        if pair.visible is not None:
            arrays["visible_images"][seen] = _scale_to_fit(pair.visible, shape, scale)
            rows[-1][VISIBLE_ROW] = seen
            seen += 1
    index = pd.DataFrame(rows)
    if rows:
        index[VISIBLE_ROW] = index[VISIBLE_ROW].astype("Int64")
    index.to_parquet(folder / INDEX, index=False)
    stored = [str(row["pair_id"]) for row in rows]
    kept = {pair_id: list(labels[pair_id]) for pair_id in stored if pair_id in labels}
    write_labels(
        folder / LABELS,
        kept,
        {p: f"infrared/{p}.npy" for p in kept},
        dict.fromkeys(kept, (shape[1], shape[0])),
    )


def _create_arrays(
    folder: Path, count: int, with_visible: int, shape: tuple[int, int]
) -> dict[str, NDArray[Any]]:
    """Create the files of ``count`` pairs' arrays, and return these, memory-mapped, by name.

    Raises
    ------
    OSError
        The disk has no room for them: told before anything is written.
    """
    kinds = {
        "infrared_excess": (np.float16, (count, *shape)),
        "panel_mask": (np.bool_, (count, *shape)),
        "visible_images": (np.uint8, (with_visible, *shape, 3)),
    }
    arrays: dict[str, NDArray[Any]] = {}
    for name, (kind, size) in kinds.items():
        if size[0]:
            path = folder / ARRAYS[name]
            arrays[name] = open_memmap(path, "w+", kind, size)
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
        **{
            f"matrix_{i}{j}": None if pair.matrix is None else float(pair.matrix[i, j])
            for i in range(3)
            for j in range(3)
        },
        VISIBLE_ROW: None,
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
        if VISIBLE_ROW not in index:  # written before there were pairs without a visible image
            index[VISIBLE_ROW] = pd.array(range(len(index)), dtype="Int64")
        counts = {"visible_images": int(index[VISIBLE_ROW].notna().sum())}
        arrays: dict[str, Any] = {
            name: _open_array(folder / file, counts.get(name, len(index)))
            for name, file in ARRAYS.items()
        }
    except (OSError, ValueError) as error:
        raise InputError(
            "an aligned store", str(error), folder, "Align the mission anew."
        ) from error
    return AlignedMission(index, **arrays, labels=read_labels(folder / LABELS))


def _open_array(path: Path, count: int) -> NDArray[Any]:
    """Return a stored array of ``count`` rows, memory-mapped; an array of none has no file.

    Raises
    ------
    ValueError
        The file is missing, damaged or of another number of rows.
    """
    if not count and not path.exists():
        return np.empty(0)
    try:
        array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise ValueError(f"{path.name}: {error}") from error
    if len(array) != count:
        raise ValueError(f"{path.name} of {len(array)} pairs, {INDEX} says {count}")
    return array


def held_out_rows(index: pd.DataFrame) -> NDArray[np.bool_]:
    """Mark the rows of an index that are held out from training, bool (N,): the last fifth of the flight by pair id.

    Frames that follow each other overlap, so that a random choice would leak; one stretch leaks at its seam only.
    Pairs without a registered visible image, which are not trained on, do not count.
    """
    complete = index[VISIBLE_ROW].notna().to_numpy() if len(index) else np.zeros(0, bool)
    names = index["pair_id"].to_numpy(str)[complete]
    order = np.argsort(np.argsort(names, kind="stable"), kind="stable")
    marks = np.zeros(len(index), bool)
    marks[complete] = order >= np.ceil(len(names) * (1 - HELD_OUT_SHARE))
    return marks
