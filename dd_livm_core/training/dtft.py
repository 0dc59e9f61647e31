"""Defect-targeted fine-tuning: the infrared encoder learns where, the visible encoder what, then both together.

1. The infrared side learns to localise hotspots and to name their shapes; contrast pulls equal shapes together. The
   visible encoder is frozen and unused.
2. The visible side learns the external types; contrast pulls all internal faults into one cluster, away from the
   external ones. The infrared side is frozen and unused.
3. Both are trained jointly, the encoders at a lower learning rate, and the gates learn how much of one side the other
   takes.

Source: the description of DTFT in ACM MobiCom 2025, doi 10.1145/3680207.3765266; losses and sizes are ours.
"""

from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dd_livm_core.model.detector import Detector
from dd_livm_core.model.pooling import pool, stack_boxes
from dd_livm_core.records import DEFECT_CLASSES, EXTERNAL_DEFECTS
from dd_livm_core.training.batches import Batch
from dd_livm_core.training.configuration import TrainingConfig
from dd_livm_core.training.losses import (
    centre_loss,
    centre_targets,
    side_loss,
    supervised_contrastive,
)

Stage = Literal[1, 2, 3]
INTERNAL = len(EXTERNAL_DEFECTS)
"""Type of all internal faults, after the external ones."""
LABEL_SMOOTHING = 0.05
"""Share of a label's weight spread over all classes, as labels drawn by eye are wrong now and then. Chosen."""
TYPE_OF_CLASS = torch.tensor(
    [
        EXTERNAL_DEFECTS.index(name) if name in EXTERNAL_DEFECTS else INTERNAL
        for name in DEFECT_CLASSES
    ]
)
"""Index of a defect class → what the visible image can tell of it: its external type, or ``INTERNAL``."""


def stage_loss(
    stage: Stage, model: Detector, batch: Batch, config: TrainingConfig
) -> dict[str, Tensor]:
    """Return the terms of a stage's loss on one batch, name → scalar; the loss is their sum."""
    boxes, pair_index = stack_boxes(batch.boxes)
    if stage == 2:
        return _visible_loss(model, batch, boxes, pair_index, config)
    maps = model.maps(batch.infrared, batch.visible if stage == 3 else None)
    target = centre_targets(batch.boxes, (maps.centre.shape[2], maps.centre.shape[3]))
    terms = {
        "centre": centre_loss(maps.centre, target),
        "sides": side_loss(maps.sides, batch.boxes, target),
        "shape": _cross_entropy(
            model.shape_logits(maps.localisation, boxes, pair_index), batch.shapes
        ),
    }
    if stage == 1:
        embedding = model.shape_embedding(pool(maps.localisation, boxes, pair_index))
        contrast = supervised_contrastive(embedding, batch.shapes)
    else:
        terms["class"] = _cross_entropy(model.class_logits(maps, boxes, pair_index), batch.classes)
        embedding = model.type_embedding(pool(maps.classification, boxes, pair_index))
        contrast = supervised_contrastive(embedding, TYPE_OF_CLASS[batch.classes])
    return {**terms, "contrast": config.contrastive_weight * contrast}


def _visible_loss(
    model: Detector, batch: Batch, boxes: Tensor, pair_index: Tensor, config: TrainingConfig
) -> dict[str, Tensor]:
    """Return the loss terms of stage 2, which uses the visible side alone; boxes and their pairs as of `pool`."""
    features = pool(model.visible(batch.visible), boxes, pair_index)
    types = TYPE_OF_CLASS[batch.classes]
    contrast = supervised_contrastive(model.type_embedding(features), types)
    return {
        "type": _cross_entropy(model.external_head(features), types),
        "contrast": config.contrastive_weight * contrast,
    }


def _cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the smoothed cross entropy over the labels that are known (not -1); 0 where none is."""
    if not bool((labels >= 0).any()):
        return logits.sum() * 0
    return F.cross_entropy(logits, labels, ignore_index=-1, label_smoothing=LABEL_SMOOTHING)


def parameter_groups(stage: Stage, model: Detector, config: TrainingConfig) -> list[dict[str, Any]]:
    """Freeze what a stage must not change, and return the optimiser's groups of what it trains.

    Each keeps its peak learning rate as ``initial_lr``, the name that PyTorch's schedules use.
    """
    infrared_side: list[nn.Module] = [
        model.infrared,
        model.tower,
        model.centre,
        model.sides,
        model.shape_head,
        model.shape_embedding,
    ]
    visible_side: list[nn.Module] = [model.visible, model.external_head, model.type_embedding]
    residuals: list[nn.Module] = [model.where_residual, model.what_residual]
    encoders: list[nn.Module] = [model.infrared, model.visible]
    heads = [*infrared_side[1:], model.type_embedding, *residuals, model.class_head]
    rate = config.learning_rate
    groups: list[tuple[list[nn.Module], float]] = {
        1: [(infrared_side, rate)],
        2: [(visible_side, rate)],
        3: [(heads, rate), (encoders, rate * config.encoder_rate_factor)],
    }[stage]
    model.requires_grad_(False)
    optimiser_groups: list[dict[str, Any]] = []
    for modules, learning_rate in groups:
        parameters = [p for part in modules for p in part.parameters()]
        for parameter in parameters:
            parameter.requires_grad_(True)
        optimiser_groups.append(
            {"params": parameters, "lr": learning_rate, "initial_lr": learning_rate}
        )
    return optimiser_groups
