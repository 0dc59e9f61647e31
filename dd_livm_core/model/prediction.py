"""From aligned pairs to detections."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dd_livm_core.model.decoding import decode, nms
from dd_livm_core.model.detections import Detections
from dd_livm_core.model.detector import Detector, Maps
from dd_livm_core.model.network_input import prepare
from dd_livm_core.records import DEFECT_CLASSES, HOTSPOT_SHAPES

BATCH_PAIRS = 8
"""Pairs that go through the network at once; bounds memory, does not change the result."""


@torch.inference_mode()
def predict(
    model: Detector,
    excess: NDArray[np.floating],
    visible: NDArray[np.uint8],
    panel_mask: NDArray[np.bool_],
) -> list[Detections]:
    """Detect defects in one batch of aligned pairs.

    Parameters
    ----------
    excess
        (N, H, W) in K, or in robust units of the panels.
    visible
        (N, H, W, 3) RGB.
    panel_mask
        (N, H, W).

    Returns
    -------
    N detections, boxes in these pixels.
    """
    model.eval()
    size_px = (model.architecture.input_width_px, model.architecture.input_height_px)
    scale = np.array([size_px[0] / excess.shape[2], size_px[1] / excess.shape[1]] * 2, np.float32)
    prepared = [prepare(*pair, size_px) for pair in zip(excess, visible, panel_mask, strict=True)]
    infrared, colour = (torch.from_numpy(np.stack(side)) for side in zip(*prepared, strict=True))
    maps = model.maps(infrared, colour)
    boxes, scores = decode(maps)
    return [_classify(model, maps, boxes[n], scores[n], n, scale) for n in range(len(excess))]


def _classify(
    model: Detector,
    maps: Maps,
    boxes: Tensor,
    centres: Tensor,
    number: int,
    scale: NDArray[np.float32],
) -> Detections:
    """Name class and shape of one pair's candidates."""
    kept = torch.from_numpy(nms(boxes.numpy(), centres.numpy()))
    limits = torch.tensor(
        [model.architecture.input_width_px, model.architecture.input_height_px] * 2
    )
    inside = torch.minimum(boxes.clamp(min=0), limits - 1.0)
    chosen, pair_index = inside[kept], torch.full((len(kept),), number)
    classes = model.class_logits(maps, chosen, pair_index).softmax(-1)
    shapes = model.shape_logits(maps.localisation, chosen, pair_index).argmax(-1)
    certainty, kind = classes.max(-1)
    scores = (centres[kept] * certainty.sqrt()).numpy()
    order = np.argsort(-scores, kind="stable")
    return Detections(
        np.asarray(chosen.numpy() / scale, np.float32)[order],
        scores[order],
        tuple(DEFECT_CLASSES[int(kind[i])] for i in order),
        tuple(HOTSPOT_SHAPES[int(shapes[i])] for i in order),
    )
