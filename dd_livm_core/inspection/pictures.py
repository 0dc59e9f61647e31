"""Draw pictures for people: detections on infrared and visible side by side, and the chart of all sites."""

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from dd_livm_core.files import atomic
from dd_livm_core.records import UNKNOWN

CLASS_COLOURS: Mapping[str, tuple[int, int, int]] = {
    "weeds": (70, 200, 90),
    "dust": (230, 190, 60),
    "breakage": (90, 170, 255),
    "open_circuit": (255, 90, 90),
    "diode_failure": (225, 110, 255),
    UNKNOWN: (90, 235, 235),
}
"""RGB of the boxes of each class, and of those of none; they differ in hue, so that they are told apart. Chosen."""
TRUTH_COLOUR = (255, 255, 255)
OFF_PANELS = 58
"""Grey of what is no panel, where there is no excess to show; 0 to 255."""
SHOWN_PERCENTILES = (1.0, 99.5)
"""Excess of the panels that becomes darkest and brightest: single odd pixels do not decide. Chosen."""
INFRARED_ALONE = "infrared alone: from outside or inside is left open"
"""Stands on pictures without a visible side."""
FONT, FONT_SCALE = cv2.FONT_HERSHEY_SIMPLEX, 0.42
"""Captions about 10 pixels high. Chosen."""


def infrared_picture(
    excess: NDArray[np.floating], panel_mask: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """Return the panels' excess (H, W), in any unit, in colours from cold to hot; the rest is dark grey.

    Returns
    -------
    (H, W, 3) uint8 RGB.
    """
    values = np.asarray(excess, np.float32)
    shown = panel_mask & np.isfinite(values)
    low, high = np.percentile(values[shown], SHOWN_PERCENTILES) if shown.any() else (0.0, 1.0)
    scaled = (np.nan_to_num(values) - low) / max(float(high - low), 1e-6) * 255
    coloured = cv2.applyColorMap(np.clip(scaled, 0, 255).astype(np.uint8), cv2.COLORMAP_INFERNO)
    return np.where(
        shown[..., None], cv2.cvtColor(coloured, cv2.COLOR_BGR2RGB), np.uint8(OFF_PANELS)
    )


def draw_boxes(
    picture: NDArray[np.uint8],
    boxes_xyxy_px: NDArray[np.floating],
    captions: Sequence[str],
    colours: Sequence[tuple[int, int, int]],
) -> NDArray[np.uint8]:
    """Return a copy of an (H, W, 3) uint8 RGB picture with boxes (N, 4) on it, each with its caption and RGB colour.

    An empty caption is left out.
    """
    drawn = np.ascontiguousarray(picture).copy()
    height, width = drawn.shape[:2]
    for (x0, y0, x1, y1), caption, colour in zip(boxes_xyxy_px, captions, colours, strict=True):
        cv2.rectangle(
            drawn, (round(x0) - 2, round(y0) - 2), (round(x1) + 2, round(y1) + 2), colour, 2
        )
        if not caption:
            continue
        (text_width, text_height), _ = cv2.getTextSize(caption, FONT, FONT_SCALE, 1)
        left = int(np.clip(x0 - 2, 0, max(0, width - text_width - 4)))
        base = int(y0) - 6 if y0 > text_height + 10 else int(min(y1 + text_height + 8, height - 3))
        cv2.rectangle(
            drawn,
            (left, base - text_height - 3),
            (left + text_width + 4, base + 3),
            (20, 20, 20),
            -1,
        )
        cv2.putText(drawn, caption, (left + 2, base), FONT, FONT_SCALE, colour, 1, cv2.LINE_AA)
    return drawn


def detection_picture(
    excess: NDArray[np.floating],
    panel_mask: NDArray[np.bool_],
    visible: NDArray[np.uint8] | None,
    boxes_xyxy_px: NDArray[np.floating],
    defect_classes: Sequence[str],
    scores: Sequence[float],
    truth_xyxy_px: NDArray[np.floating] | None = None,
) -> NDArray[np.uint8]:
    """Return infrared (coloured) and aligned visible side by side, with detections on both, and labels in white.

    Without a visible image it is infrared alone, and says so.

    Parameters
    ----------
    excess, panel_mask, visible
        (H, W) in any unit, (H, W) bool and (H, W, 3) uint8 RGB on the same grid; None is no visible image.
    boxes_xyxy_px, defect_classes, scores
        The N detections: (N, 4) in pixels of that grid, N names of classes or ``unknown``, N numbers from 0 to 1.
    truth_xyxy_px
        (M, 4) labels in pixels of that grid.

    Returns
    -------
    (H, 2 W, 3) uint8 RGB, or (H, W, 3) of infrared alone.
    """
    captions = [f"{name} {score:.2f}" for name, score in zip(defect_classes, scores, strict=True)]
    colours = [CLASS_COLOURS[name] for name in defect_classes]
    infrared = infrared_picture(excess, panel_mask)
    sides = [_write_caption(infrared)] if visible is None else [infrared, np.asarray(visible)]
    if truth_xyxy_px is not None and len(truth_xyxy_px):
        none = [""] * len(truth_xyxy_px)
        sides = [
            draw_boxes(side, truth_xyxy_px, none, [TRUTH_COLOUR] * len(none)) for side in sides
        ]
    return np.hstack([draw_boxes(side, boxes_xyxy_px, captions, colours) for side in sides])


def _write_caption(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture with `INFRARED_ALONE` at its lower edge."""
    drawn = np.ascontiguousarray(picture).copy()
    height = drawn.shape[0]
    cv2.rectangle(drawn, (0, height - 18), (drawn.shape[1], height), (20, 20, 20), -1)
    place = (6, height - 5)
    cv2.putText(drawn, INFRARED_ALONE, place, FONT, FONT_SCALE, (255, 255, 255), 1, cv2.LINE_AA)
    return drawn


def write_picture(path: Path, picture: NDArray[np.uint8]) -> None:
    """Write an (H, W, 3) uint8 RGB picture as PNG or JPEG, by the file's ending, in one move.

    Raises
    ------
    OSError
        OpenCV cannot encode it.
    """
    written, encoded = cv2.imencode(path.suffix, cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    if not written:
        raise OSError(f"OpenCV could not encode {path}")
    with atomic(path) as unfinished:
        unfinished.write_bytes(encoded.tobytes())


def data_url(picture: Path) -> str:
    """Return a PNG or JPEG file as a ``data:`` URL, which holds its bytes: a page with it needs no file beside it."""
    kind = "jpeg" if picture.suffix in {".jpg", ".jpeg"} else "png"
    return f"data:image/{kind};base64,{base64.b64encode(picture.read_bytes()).decode()}"


def write_site_chart(
    path: Path, scores: Mapping[str, Mapping[str, float]], unseen: Sequence[str]
) -> None:
    """Write a chart of the four numbers of every site as grouped bars; each site's name says whether it is unseen.

    Parameters
    ----------
    scores
        Site → detection_accuracy, located_and_typed, type_accuracy, map50, in percent.
    """
    from matplotlib.figure import Figure

    names = ("detection_accuracy", "located_and_typed", "type_accuracy", "map50")
    colours = ("#0b7285", "#66a80f", "#e8590c", "#868e96")
    sites = list(scores)
    figure = Figure(figsize=(max(6.0, 1.8 * len(sites) + 2), 4.2), layout="constrained")
    axes = figure.subplots()
    for offset, (name, colour) in enumerate(zip(names, colours, strict=True)):
        values = [scores[site].get(name, float("nan")) for site in sites]
        bars = axes.bar(
            np.arange(len(sites)) + (offset - 1.5) * 0.2, values, 0.19, label=name, color=colour
        )
        labels = ["" if np.isnan(value) else f"{value:.0f}" for value in values]
        axes.bar_label(bars, labels=labels, fontsize=7)
    axes.set_xticks(
        range(len(sites)),
        [
            f"{site}\n(never seen)" if site in unseen else f"{site}\n(other pairs seen)"
            for site in sites
        ],
    )
    axes.set_ylim(0, 108)
    axes.set_ylabel("percent")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(ncols=4, fontsize=8, frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    figure.savefig(path, dpi=120)
