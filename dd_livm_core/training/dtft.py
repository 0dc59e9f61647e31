"""Defect-targeted fine-tuning: the infrared encoder learns where, the visible encoder what, then both together.

1. The visible encoder is frozen (and unused); the infrared encoder learns hotspot shapes by contrast, and so
   learns to localise.
2. The infrared side is frozen; the visible encoder learns the external types, and contrast pulls all internal
   faults into one cluster, away from the external ones.
3. Both are tuned jointly, gently in the encoders: each side keeps its duty, and the other adds a gated residual.

Source: the description of DTFT in ACM MobiCom 2025, doi 10.1145/3680207.3765266; losses and sizes are ours.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dd_livm_core.errors import InputError
from dd_livm_core.model.detector import Architecture, Detector
from dd_livm_core.model.pooling import pool, stack_boxes
from dd_livm_core.model.weights import WEIGHTS, load_detector, save_detector
from dd_livm_core.records import DEFECT_CLASSES, EXTERNAL_DEFECTS
from dd_livm_core.training.batches import Batch, TrainingPairs
from dd_livm_core.training.checkpoints import Checkpoint, read_checkpoint, write_checkpoint
from dd_livm_core.training.configuration import TrainingConfig
from dd_livm_core.training.losses import (
    centre_loss,
    centre_targets,
    side_loss,
    supervised_contrastive,
)
from dd_livm_core.training.prefetch import WaitMeter

Stage = Literal[1, 2, 3]
INTERNAL = len(EXTERNAL_DEFECTS)
TYPE_OF_CLASS = torch.tensor(
    [
        EXTERNAL_DEFECTS.index(name) if name in EXTERNAL_DEFECTS else INTERNAL
        for name in DEFECT_CLASSES
    ]
)
"""Defect class to what the visible image can tell: its external type, or that it is internal."""
WARM_UP_SHARE = 0.1


@dataclass(frozen=True)
class StageResult:
    """A finished stage: its weights and one record per epoch."""

    weights: Path
    history: list[dict[str, float]]


def stage_loss(
    stage: Stage, model: Detector, batch: Batch, config: TrainingConfig
) -> dict[str, Tensor]:
    """Return the named terms of a stage's loss on one batch."""
    boxes, pair_index = stack_boxes(batch.boxes)
    if stage == 2:
        return _visible_terms(model, batch, boxes, pair_index, config)
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


def _visible_terms(
    model: Detector, batch: Batch, boxes: Tensor, pair_index: Tensor, config: TrainingConfig
) -> dict[str, Tensor]:
    features = pool(model.visible(batch.visible), boxes, pair_index)
    types = TYPE_OF_CLASS[batch.classes]
    contrast = supervised_contrastive(model.type_embedding(features), types)
    return {
        "type": _cross_entropy(model.external_head(features), types),
        "contrast": config.contrastive_weight * contrast,
    }


def _cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    if not bool((labels >= 0).any()):
        return logits.sum() * 0
    return F.cross_entropy(logits, labels, ignore_index=-1, label_smoothing=0.05)


def trainable(stage: Stage, model: Detector, config: TrainingConfig) -> list[dict[str, Any]]:
    """Freeze what a stage must not touch, and return the optimiser's groups with their rates."""
    infrared_side = [
        model.infrared,
        model.tower,
        model.centre,
        model.sides,
        model.shape_head,
        model.shape_embedding,
    ]
    visible_side = [model.visible, model.external_head, model.type_embedding]
    gently: list[nn.Module] = [model.infrared, model.visible]
    freely: list[nn.Module] = {
        1: infrared_side,
        2: visible_side,
        3: [m for m in (*infrared_side, model.type_embedding) if m is not model.infrared]
        + [model.where_residual, model.what_residual, model.class_head],
    }[stage]
    model.requires_grad_(False)
    groups = [(freely, config.learning_rate)]
    if stage == 3:
        groups.append((gently, config.learning_rate * config.encoder_rate_factor))
    optimiser_groups: list[dict[str, Any]] = []
    for modules, rate in groups:
        parameters = [p for part in modules for p in part.parameters()]
        for parameter in parameters:
            parameter.requires_grad_(True)
        optimiser_groups.append({"params": parameters, "lr": rate, "rate": rate})
    return optimiser_groups


def train_stage(
    stage: Stage,
    stores: Sequence[Path],
    config: TrainingConfig,
    work_dir: Path,
    initial_weights: Path | None,
    on_epoch: Callable[[dict[str, float]], None] | None = None,
) -> StageResult:
    """Train one stage; killed at any point and called again, it ends with the same weights, bit for bit.

    Parameters
    ----------
    stores
        Aligned missions of the training sites; the last fifth of each flight is left out.
    work_dir
        Holds the checkpoint of the last whole epoch, then the weights.
    initial_weights
        The stage before; None starts from the seed (stage 1).
    on_epoch
        Called after each epoch with its record.

    Raises
    ------
    InputError
        No labelled pairs, broken weights, or a loss that is not finite.
    """
    torch.set_num_threads(config.torch_threads)
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    work_dir.mkdir(parents=True, exist_ok=True)
    pairs = TrainingPairs(stores, config)
    model = _initial_model(config, initial_weights).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.AdamW(trainable(stage, model, config), weight_decay=config.weight_decay)
    average = {name: value.clone() for name, value in model.state_dict().items()}
    checkpoint = read_checkpoint(work_dir, model, optimiser, average)
    history = checkpoint.history if checkpoint else []
    for epoch in range(len(history), config.epochs(stage)):
        record, wait_share = _train_epoch(stage, model, optimiser, average, pairs, config, epoch)
        history.append(record)
        write_checkpoint(work_dir, Checkpoint(model, optimiser, average, history))
        if on_epoch:
            # A time is no result: it stays out of the history, which knows a stage by its content.
            on_epoch({**record, "data_wait_share": wait_share})
    model.load_state_dict(average)
    save_detector(model, work_dir / WEIGHTS)
    return StageResult(work_dir / WEIGHTS, history)


def _initial_model(config: TrainingConfig, weights: Path | None) -> Detector:
    torch.manual_seed(config.seed)
    architecture = Architecture(config.input_width_px, config.input_height_px, config.channels)
    if weights is None:
        return Detector(architecture)
    model = load_detector(weights)
    if model.architecture != architecture:
        raise InputError(
            f"weights of {architecture}", f"{model.architecture}", weights, "Train stage 1 anew."
        )
    return model


def _rate(progress: float) -> float:
    """Return the learning rate's factor: a short linear warm-up, then half a cosine."""
    if progress < WARM_UP_SHARE:
        return (progress + 1e-3) / WARM_UP_SHARE
    return float(
        0.5
        + 0.5 * torch.cos(torch.tensor(torch.pi * (progress - WARM_UP_SHARE) / (1 - WARM_UP_SHARE)))
    )


def _train_epoch(
    stage: Stage,
    model: Detector,
    optimiser: torch.optim.Optimizer,
    average: dict[str, Tensor],
    pairs: TrainingPairs,
    config: TrainingConfig,
    epoch: int,
) -> tuple[dict[str, float], float]:
    """Train one epoch; return its record, and the share of its time that passed in waiting for batches."""
    model.train()
    clock = WaitMeter()
    steps = -(-len(pairs) // config.batch_size)
    totals: dict[str, float] = {}
    for step, batch in enumerate(clock.measure(pairs.batches(stage, epoch))):
        rate = _rate((epoch * steps + step) / (config.epochs(stage) * steps))
        for group in optimiser.param_groups:
            group["lr"] = group["rate"] * rate
        terms = stage_loss(stage, model, batch, config)
        loss = torch.stack(list(terms.values())).sum()
        if not bool(torch.isfinite(loss)):
            found = {name: float(value.detach()) for name, value in terms.items()}
            raise InputError(
                "a finite loss",
                f"{found}",
                f"stage {stage}, epoch {epoch}, step {step}",
                "Lower training.learning_rate.",
            )
        optimiser.zero_grad(set_to_none=True)
        if loss.requires_grad:
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_([p for g in optimiser.param_groups for p in g["params"]], 5.0)
            optimiser.step()
        _follow(
            average,
            model,
            min(config.ema_decay, (1 + epoch * steps + step) / (10 + epoch * steps + step)),
        )
        for name, value in {**terms, "loss": loss}.items():
            totals[name] = totals.get(name, 0.0) + float(value.detach()) / steps
    record = {
        "epoch": float(epoch),
        "epochs": float(config.epochs(stage)),
        "pairs": float(len(pairs)),
        **totals,
    }
    return record, clock.wait_share()


@torch.no_grad()
def _follow(average: dict[str, Tensor], model: Detector, decay: float) -> None:
    for name, value in model.state_dict().items():
        average[name].lerp_(value, 1 - decay)
