"""Run the detector on aligned pairs."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dd_livm_core.model.decoding import decode, nms
from dd_livm_core.model.detections import Detections
from dd_livm_core.model.detector import Detector, Maps
from dd_livm_core.model.network_input import prepare
from dd_livm_core.records import DEFECT_CLASSES, EXTERNAL_DEFECTS, HOTSPOT_SHAPES

EXTERNAL = [DEFECT_CLASSES.index(name) for name in EXTERNAL_DEFECTS]
BATCH_PAIRS = 8
"""Pairs that go through the network at once: bounds memory. Nothing in the network mixes pairs."""


@torch.inference_mode()
def predict(
    model: Detector,
    excess: NDArray[np.floating],
    visible: Sequence[NDArray[np.uint8] | None] | NDArray[np.uint8],
    panel_mask: NDArray[np.bool_],
) -> list[Detections]:
    """Detect defects in one batch of aligned pairs.

    Parameters
    ----------
    excess
        (N, H, W) in K; multiples of the panels' spread where the file holds no temperatures.
    visible
        (N, H, W, 3) uint8 RGB on the same grid; of a sequence, None for pairs without a visible image. The classes of
        their detections say little, and do not count in their scores.
    panel_mask
        (N, H, W) bool.

    Returns
    -------
    The detections of each of the N pairs at any threshold, boxes in pixels of this grid.
    """
    model.eval()
    size_px = (model.architecture.input_width_px, model.architecture.input_height_px)
    scale = np.array([size_px[0] / excess.shape[2], size_px[1] / excess.shape[1]] * 2, np.float32)
    prepared = [prepare(*pair, size_px) for pair in zip(excess, visible, panel_mask, strict=True)]
    infrared, colour = (torch.from_numpy(np.stack(side)) for side in zip(*prepared, strict=True))
    maps = model.maps(infrared, colour)
    boxes, scores = decode(maps)
    return [
        _classify(model, maps, boxes[n], scores[n], n, scale, tells_class=visible[n] is not None)
        for n in range(len(excess))
    ]


def _classify(
    model: Detector,
    maps: Maps,
    boxes: Tensor,
    centres: Tensor,
    number: int,
    scale: NDArray[np.float32],
    *,
    tells_class: bool,
) -> Detections:
    """Return one pair's detections: its candidates after nms, each with its likeliest class and shape.

    A detection's score is its centre's, times the square root of its class's probability where its class can be told.

    Parameters
    ----------
    boxes, centres
        The pair's candidates of `decode`: (K, 4) in input pixels and (K,) scores.
    number
        Which pair of the batch it is.
    scale
        Input pixels per pixel of the grid: x, y, x, y.
    tells_class
        Whether the pair has a visible image.
    """
    kept = torch.from_numpy(nms(boxes.numpy(), centres.numpy()))
    limits = torch.tensor(
        [model.architecture.input_width_px, model.architecture.input_height_px] * 2
    )
    inside = torch.minimum(boxes.clamp(min=0), limits - 1.0)
    chosen, pair_index = inside[kept], torch.full((len(kept),), number)
    classes = model.class_logits(maps, chosen, pair_index).softmax(-1)
    shapes = model.shape_logits(maps.localisation, chosen, pair_index).argmax(-1)
    certainty, kind = classes.max(-1)
    scores = (centres[kept] * (certainty.sqrt() if tells_class else 1)).numpy()
    order = np.argsort(-scores, kind="stable")
    return Detections(
        np.asarray(chosen.numpy() / scale, np.float32)[order],
        scores[order],
        tuple(DEFECT_CLASSES[int(kind[i])] for i in order),
        tuple(HOTSPOT_SHAPES[int(shapes[i])] for i in order),
        classes[:, EXTERNAL].sum(-1).numpy()[order],
    )
