"""Tells infrared images by their content, where neither name nor camera does.

A file that holds temperatures or counts is infrared. A picture may be: in grey, or in a palette that no photograph has
the colours of. One picture says little, so that all those of one size in a folder are judged together.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dd_livm_core.camera_files.dji import holds_dji_counts
from dd_livm_core.camera_files.flir import holds_flir_records
from dd_livm_core.camera_files.images import TIFF_STARTS, read_bytes, upright_pixels
from dd_livm_core.camera_files.palette_values import GREY_SHARE, read_picture
from dd_livm_core.camera_files.tiff import read_tiff_frame
from dd_livm_core.errors import InputError
from dd_livm_core.missions.image_names import Modality

MAX_INFRARED_PX = 1280 * 1024
"""Frame of the largest sensor or enlargement of most drones; their visible images have millions more."""
LIKE_PHOTOGRAPHS = {"bone"}
"""Palettes that photographs fit: 43 of 181 visible images, real and simulated ones, are of this bluish grey."""
MOST_TINT = 3
"""Between the channels of a pixel that is plain grey. A photograph of a grey scene is tinted."""
SAMPLE = 24
"""Pictures of one size that are looked at in a folder, spread over it. Chosen."""
FOR_EACH_PHOTOGRAPH = 4
"""So many pictures as of an infrared camera outweigh one as of a visible camera. Of the 181 visible images above none
looks infrared; of 251 infrared frames of eight real plants 222 do, and 3 look visible."""


def modalities_by_content(sizes_px: Mapping[Path, tuple[int, int]]) -> dict[Path, Modality]:
    """Return what the content of images says, of those where it says anything.

    Parameters
    ----------
    sizes_px
        Width and height of each image.
    """
    told: dict[Path, Modality] = {}
    groups: dict[tuple[Path, tuple[int, int]], list[Path]] = defaultdict(list)
    for path, size_px in sizes_px.items():
        if _holds_temperatures_or_counts(path):
            told[path] = "infrared"
        else:
            groups[path.parent, size_px].append(path)
    for (_, size_px), group in groups.items():
        modality = _judge_pictures(group)
        # a larger frame is no infrared camera's: a grey photograph
        if modality == "visible" or (modality and size_px[0] * size_px[1] <= MAX_INFRARED_PX):
            told |= dict.fromkeys(group, modality)
    return told


def _holds_temperatures_or_counts(path: Path) -> bool:
    """Return whether a file is radiometric, or a TIFF of one channel with more than 8 bits."""
    try:
        content = read_bytes(path)
        if content[:4] in TIFF_STARTS:
            frame = read_tiff_frame(content, path)
            return frame.values.ndim == 2 and frame.stored_dtype not in ("uint8", "int8")
        return holds_dji_counts(content) or holds_flir_records(content)
    except InputError:
        return False


def _judge_pictures(paths: Sequence[Path]) -> Modality | None:
    """Return what the colours of pictures of one size in one folder say together."""
    spread = np.linspace(0, len(paths) - 1, min(SAMPLE, len(paths))).astype(int)
    votes = Counter(_vote(paths[int(number)]) for number in spread)
    if votes["infrared"] > FOR_EACH_PHOTOGRAPH * votes["visible"]:
        return "infrared"
    return "visible" if votes["visible"] > votes["infrared"] else None


def _vote(path: Path) -> Modality | None:
    """Return what the colours of a picture in a file say; nothing of a broken one."""
    try:
        return modality_by_colours(upright_pixels(read_bytes(path), path))
    except InputError:
        return None


def modality_by_colours(rgb: NDArray[np.uint8]) -> Modality | None:
    """Return what the colours of one picture, uint8 (H, W, 3) RGB, speak for; None of a palette that is not known."""
    picture = read_picture(rgb)
    if picture.kind in ("bright", "line"):
        return None
    if picture.kind == "grey":
        plain = np.ptp(rgb, axis=2) <= MOST_TINT
        return "infrared" if plain.mean() >= GREY_SHARE else "visible"
    known = picture.kind == "known" and picture.palette not in LIKE_PHOTOGRAPHS
    return "infrared" if known else "visible"
