"""The detector: infrared says where, visible says what, each adds a gated residual to the other.

Localisation works on infrared features plus a gated share of the visible ones; classification on visible
features plus a gated share of the infrared ones, pooled over each found box. A module thus keeps its one duty,
and the gates decide per place how much the other modality may add.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F

from dd_livm_core.errors import InputError
from dd_livm_core.files import atomic
from dd_livm_core.model.encoders import STRIDE, ConvBlock, Encoder
from dd_livm_core.model.network_input import infrared_input, visible_input
from dd_livm_core.records import DEFECT_CLASSES, HOTSPOT_SHAPES, DefectClass, HotspotShape

EXTERNAL_OR_INTERNAL = 4
"""What the visible encoder tells in stage 2: three external types, and all internal faults as one."""
CANDIDATES = 40
NMS_IOU = 0.45
POOL_POINTS = 5
CONTEXT = 1.3
"""Boxes are pooled with some surroundings: the cause may lie at the hotspot's edge."""


@dataclass(frozen=True)
class Architecture:
    """What is needed to build the network again."""

    input_width_px: int
    input_height_px: int
    channels: int


@dataclass(frozen=True)
class Detections:
    """The findings of one pair, by falling score; boxes (N, 4) x0, y0, x1, y1 in infrared pixels."""

    boxes_xyxy_px: NDArray[np.float32]
    scores: NDArray[np.float32]
    defect_classes: tuple[DefectClass, ...]
    hotspot_shapes: tuple[HotspotShape, ...]


@dataclass
class Maps:
    """Feature maps and dense outputs of a batch, at stride 4."""

    where: Tensor
    what: Tensor
    centre: Tensor
    sides: Tensor


class GatedResidual(nn.Module):
    """own + gate(own, other) · project(other); the gate starts nearly closed."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.project = nn.Conv2d(channels, channels, 1)
        self.gate = nn.Conv2d(2 * channels, 1, 1)
        nn.init.zeros_(self.gate.weight)
        nn.init.constant_(self.gate.bias, -2.0)  # type: ignore[arg-type]

    def forward(self, own: Tensor, other: Tensor) -> Tensor:
        """(B, C, H, W) twice to (B, C, H, W)."""
        share = torch.sigmoid(self.gate(torch.cat([own, other], 1)))
        out: Tensor = own + share * self.project(other)
        return out


class Detector(nn.Module):
    """Two encoders, two gated residuals, and the heads on them."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.threshold = 0.3
        self.infrared = Encoder(2, architecture.channels)
        self.visible = Encoder(3, architecture.channels)
        width = self.infrared.outputs
        self.where_residual, self.what_residual = GatedResidual(width), GatedResidual(width)
        self.tower = ConvBlock(width, width)
        self.centre = nn.Conv2d(width, 1, 3, padding=1)
        self.sides = nn.Conv2d(width, 4, 3, padding=1)
        nn.init.constant_(self.centre.bias, -4.0)  # type: ignore[arg-type]
        nn.init.constant_(self.sides.bias, 1.5)  # type: ignore[arg-type]
        self.shape_head = _head(width + 2, len(HOTSPOT_SHAPES))
        self.external_head = _head(width, EXTERNAL_OR_INTERNAL)
        self.class_head = _head(2 * width + 2, len(DEFECT_CLASSES))
        self.shape_embedding = nn.Linear(width, 32)
        self.type_embedding = nn.Linear(width, 32)

    def maps(self, infrared: Tensor, visible: Tensor | None) -> Maps:
        """Encode a batch; without visible images (stage 1) nothing is added to the infrared features."""
        own = self.infrared(infrared)
        if visible is None:
            where = what = own
        else:
            other = self.visible(visible)
            where, what = self.where_residual(own, other), self.what_residual(other, own)
        tower = self.tower(where)
        return Maps(where, what, self.centre(tower), F.softplus(self.sides(tower)))

    def class_logits(self, maps: Maps, boxes: Tensor, owner: Tensor) -> Tensor:
        """Return (N, classes) for boxes (N, 4) in input pixels, ``owner`` telling each box's pair."""
        features = [
            pool(maps.what, boxes, owner),
            pool(maps.where, boxes, owner),
            self._extent(boxes),
        ]
        out: Tensor = self.class_head(torch.cat(features, 1))
        return out

    def shape_logits(self, where: Tensor, boxes: Tensor, owner: Tensor) -> Tensor:
        """Return (N, shapes) for boxes (N, 4) in input pixels."""
        out: Tensor = self.shape_head(
            torch.cat([pool(where, boxes, owner), self._extent(boxes)], 1)
        )
        return out

    def _extent(self, boxes: Tensor) -> Tensor:
        size = (boxes[:, 2:] - boxes[:, :2]).clamp(min=1) / self.architecture.input_width_px
        return torch.log(size * 20)


def _head(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, 64), nn.SiLU(), nn.Linear(64, outputs))


def pool(features: Tensor, boxes: Tensor, owner: Tensor) -> Tensor:
    """Average features over a grid of points in each box: (B, C, H, W) and (N, 4) to (N, C)."""
    if len(boxes) == 0:
        return features.new_zeros((0, features.shape[1]))
    height, width = features.shape[-2:]
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]) / 2 * CONTEXT
    steps = torch.linspace(-1, 1, POOL_POINTS, device=boxes.device)
    y, x = torch.meshgrid(steps, steps, indexing="ij")
    points = centre[:, None, None] + half[:, None, None] * torch.stack([x, y], -1)
    size = torch.tensor([width * STRIDE, height * STRIDE], device=boxes.device, dtype=boxes.dtype)
    grid = (2 * points + 1) / size - 1
    pooled = features.new_zeros((len(boxes), features.shape[1]))
    for number in torch.unique(owner).tolist():
        chosen = owner == number
        sampled = F.grid_sample(
            features[number : number + 1],
            grid[chosen].reshape(1, -1, POOL_POINTS, 2),
            align_corners=False,
        )
        pooled[chosen] = (
            sampled.reshape(features.shape[1], -1, POOL_POINTS * POOL_POINTS).mean(-1).T
        )
    return pooled


def decode(maps: Maps) -> tuple[Tensor, Tensor]:
    """Return candidate boxes (B, K, 4) in input pixels and their centre scores (B, K), best first."""
    score = torch.sigmoid(maps.centre)
    highest = score * (score == F.max_pool2d(score, 3, 1, 1))
    height, width = score.shape[2:]
    best, place = highest.flatten(1).topk(min(CANDIDATES, height * width))
    x, y = (place % width).float(), (place // width).float()
    sides = (
        maps.sides.flatten(2).gather(2, place[:, None].expand(-1, 4, -1)).transpose(1, 2) * STRIDE
    )
    centre = torch.stack([x, y], -1) * STRIDE + (STRIDE - 1) / 2
    return torch.cat([centre - sides[..., :2], centre + sides[..., 2:]], -1), best


def keep_apart(boxes: Tensor, scores: Tensor) -> list[int]:
    """Return the boxes that no better one overlaps by more than ``NMS_IOU``; input by falling score."""
    overlap = box_iou(boxes, boxes)
    kept: list[int] = []
    for number in range(len(boxes)):
        if float(scores[number]) < 0.02:
            break
        if all(float(overlap[number, other]) < NMS_IOU for other in kept):
            kept.append(number)
    return kept


def box_iou(first: Tensor, second: Tensor) -> Tensor:
    """Return (N, M) intersection over union of boxes (N, 4) and (M, 4)."""
    low = torch.maximum(first[:, None, :2], second[None, :, :2])
    high = torch.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = (high - low).clamp(min=0).prod(-1)
    areas = [(boxes[:, 2:] - boxes[:, :2]).clamp(min=0).prod(-1) for boxes in (first, second)]
    return shared / (areas[0][:, None] + areas[1][None] - shared).clamp(min=1e-6)


@torch.inference_mode()
def predict(
    model: Detector,
    infrared_excess: NDArray[np.float32],
    visible: NDArray[np.uint8],
    panel_mask: NDArray[np.bool_],
    batch_size: int = 8,
) -> list[Detections]:
    """Detect defects in aligned pairs.

    Parameters
    ----------
    infrared_excess, visible, panel_mask
        (N, H, W) in K or robust units, (N, H, W, 3) RGB, (N, H, W); boxes come back in these pixels.
    """
    model.eval()
    found: list[Detections] = []
    for start in range(0, len(infrared_excess), batch_size):
        chosen = slice(start, start + batch_size)
        found += _predict_batch(model, infrared_excess[chosen], visible[chosen], panel_mask[chosen])
    return found


def _predict_batch(
    model: Detector,
    excess: NDArray[np.float32],
    visible: NDArray[np.uint8],
    mask: NDArray[np.bool_],
) -> list[Detections]:
    size = (model.architecture.input_width_px, model.architecture.input_height_px)
    scale = np.array([size[0] / excess.shape[2], size[1] / excess.shape[1]] * 2, np.float32)
    prepared = [
        (
            infrared_input(resize(e, size), resize(m.astype(np.float32), size)),
            visible_input(resize(v, size), resize(m.astype(np.float32), size)),
        )
        for e, v, m in zip(excess, visible, mask, strict=True)
    ]
    maps = model.maps(*(torch.from_numpy(np.stack(side)) for side in zip(*prepared, strict=True)))
    boxes, centres = decode(maps)
    return [_detections(model, maps, boxes[n], centres[n], n, scale) for n in range(len(excess))]


def resize(image: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """Resize to (width, height) by area averaging."""
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA))


def _detections(
    model: Detector,
    maps: Maps,
    boxes: Tensor,
    centres: Tensor,
    number: int,
    scale: NDArray[np.float32],
) -> Detections:
    kept = keep_apart(boxes, centres)
    limits = torch.tensor(
        [model.architecture.input_width_px, model.architecture.input_height_px] * 2
    )
    inside = torch.minimum(boxes.clamp(min=0), limits - 1.0)
    chosen, owner = inside[kept], torch.full((len(kept),), number)
    classes = model.class_logits(maps, chosen, owner).softmax(-1)
    shapes = model.shape_logits(maps.where, chosen, owner).argmax(-1)
    certainty, kind = classes.max(-1)
    scores = (centres[kept] * certainty.sqrt()).numpy()
    order = np.argsort(-scores, kind="stable")
    return Detections(
        np.asarray(chosen.numpy() / scale, np.float32)[order],
        scores[order],
        tuple(DEFECT_CLASSES[int(kind[i])] for i in order),
        tuple(HOTSPOT_SHAPES[int(shapes[i])] for i in order),
    )


def save_detector(model: Detector, path: Path) -> None:
    """Write weights and everything needed to use them as one safetensors file, in one move."""
    content = {"architecture": vars(model.architecture), "threshold": model.threshold}
    # One entry, as safetensors writes several in random order and the file is known by its hash.
    about = {"detector": json.dumps(content)}
    with atomic(path) as unfinished:
        save_file({k: v.contiguous() for k, v in model.state_dict().items()}, unfinished, about)


def load_detector(path: Path) -> Detector:
    """Read a detector.

    Raises
    ------
    InputError
        The file is no detector in safetensors format.
    """
    try:
        with safe_open(path, "pt") as stored:
            about = json.loads((stored.metadata() or {})["detector"])
            model = Detector(Architecture(**about["architecture"]))
            model.threshold = float(about["threshold"])
            model.load_state_dict({name: stored.get_tensor(name) for name in stored.keys()})  # noqa: SIM118
    except (OSError, SafetensorError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise InputError(
            "a detector in safetensors format", str(error)[:300], path, "Train one anew."
        ) from error
    return model.eval()


def stack_boxes(boxes: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Join per-pair boxes (n, 4) to (N, 4) and tell each box's pair."""
    owner = torch.cat(
        [torch.full((len(b),), number, dtype=torch.long) for number, b in enumerate(boxes)]
    )
    return torch.cat([b.reshape(-1, 4) for b in boxes]), owner
