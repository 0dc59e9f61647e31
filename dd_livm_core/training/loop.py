"""Train one stage: epochs, weight average, checkpoints."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from dd_livm_core.errors import InputError
from dd_livm_core.model.detector import Architecture, Detector
from dd_livm_core.model.weights import WEIGHTS, load_detector, save_detector
from dd_livm_core.training.batches import TrainingPairs
from dd_livm_core.training.checkpoints import (
    Network,
    Training,
    restore_checkpoint,
    write_checkpoint,
)
from dd_livm_core.training.configuration import TrainingConfig
from dd_livm_core.training.dtft import Stage, parameter_groups, stage_loss
from dd_livm_core.training.prefetch import WaitMeter

WARM_UP_SHARE = 0.1
"""Share of a stage's steps in which the learning rate rises from near 0: AdamW's moments are rough at first. Chosen."""
LARGEST_GRADIENT = 5.0
"""Norm to which gradients are clipped, so that one bad batch does not spoil the weights. Chosen."""


@dataclass(frozen=True)
class StageResult:
    """A finished stage: the file of its weights, and one record of losses per epoch."""

    weights: Path
    history: list[dict[str, float]]


def train_stage(
    stage: Stage,
    stores: Sequence[Path],
    config: TrainingConfig,
    work_dir: Path,
    initial_weights: Path | None,
    on_epoch: Callable[[dict[str, float]], None] | None = None,
) -> StageResult:
    """Train one stage, going on from its last finished epoch where it was killed: the weights are the same bit for bit.

    Parameters
    ----------
    stores
        Aligned missions of the training sites; held-out pairs, a fifth of each, are left out.
    work_dir
        Holds the checkpoint of the last finished epoch, and at the end the weights.
    initial_weights
        Those of the stage before; None, in stage 1, draws them from the seed.
    on_epoch
        Called after each epoch with its record and its ``data_wait_share``.

    Raises
    ------
    InputError
        No pair to train on, broken weights or weights of another architecture, or a loss that is not finite.
    """
    torch.set_num_threads(config.torch_threads)
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    work_dir.mkdir(parents=True, exist_ok=True)
    pairs = TrainingPairs(stores, config)
    training = _begin(stage, config, initial_weights)
    restore_checkpoint(work_dir, training)
    for epoch in range(len(training.history), config.epochs(stage)):
        record, wait_share = _train_epoch(stage, training, pairs, config, epoch)
        training.history.append(record)
        write_checkpoint(work_dir, training)
        if on_epoch:
            # A measured time differs from run to run: it stays out of the history, which repeats bit for bit.
            on_epoch({**record, "data_wait_share": wait_share})
    # The average wraps a module of the model's own class.
    save_detector(cast(Detector, training.average.module), work_dir / WEIGHTS)
    return StageResult(work_dir / WEIGHTS, training.history)


def _begin(
    stage: Stage, config: TrainingConfig, initial_weights: Path | None
) -> Training[Detector]:
    """Return a stage's training before its first step."""
    model = _initial_model(config, initial_weights).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    groups = parameter_groups(stage, model, config)
    optimiser = torch.optim.AdamW(groups, weight_decay=config.weight_decay)
    average = AveragedModel(model, avg_fn=partial(average_weights, config.ema_decay))
    return Training(model, optimiser, average, [])


def _initial_model(config: TrainingConfig, weights: Path | None) -> Detector:
    """Return a stage's first model, read from a file or drawn from the seed.

    Raises
    ------
    InputError
        The file holds no detector, or one of another architecture.
    """
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


def average_weights(decay: float, average: Tensor, value: Tensor, steps: Tensor | int) -> Tensor:
    """Return the weight average moved towards a value.

    The decay grows with the steps up to ``decay``, so that the first weights are soon forgotten, as in TensorFlow's
    ExponentialMovingAverage.
    """
    count = int(steps)
    return average.lerp(value, 1 - min(decay, (1 + count) / (10 + count)))


def learning_rate_factor(progress: float) -> float:
    """Return the learning rate's factor, 0 to 1.01, at a share of all steps: linear warm-up, then half a cosine."""
    if progress < WARM_UP_SHARE:
        return (progress + 1e-3) / WARM_UP_SHARE  # not 0, so that the first step learns
    return 0.5 + 0.5 * math.cos(math.pi * (progress - WARM_UP_SHARE) / (1 - WARM_UP_SHARE))


def _train_epoch(
    stage: Stage,
    training: Training[Detector],
    pairs: TrainingPairs,
    config: TrainingConfig,
    epoch: int,
) -> tuple[dict[str, float], float]:
    """Train one epoch; return its mean losses, and the share of its time spent waiting for batches, 0 to 1."""
    training.model.train()
    meter = WaitMeter()
    steps = math.ceil(len(pairs) / config.batch_size)
    totals: dict[str, float] = {}
    for step, batch in enumerate(meter.measure(pairs.batches(stage, epoch))):
        set_learning_rate(training, (epoch * steps + step) / (config.epochs(stage) * steps))
        terms = stage_loss(stage, training.model, batch, config)
        place = f"stage {stage}, epoch {epoch}, step {step}"
        for name, value in take_step(training, terms, place).items():
            totals[name] = totals.get(name, 0.0) + value / steps
    record = {
        "epoch": float(epoch),
        "epochs": float(config.epochs(stage)),
        "pairs": float(len(pairs)),
        **totals,
    }
    return record, meter.wait_share()


def set_learning_rate(training: Training[Network], progress: float) -> None:
    """Set each group's learning rate to what it is at a share of all steps."""
    factor = learning_rate_factor(progress)
    for group in training.optimiser.param_groups:
        group["lr"] = group["initial_lr"] * factor


def take_step(
    training: Training[Network], terms: Mapping[str, Tensor], place: str
) -> dict[str, float]:
    """Take one step of the optimiser against the sum of some losses; return the ``loss`` and its terms by name.

    ``place`` says which step it is, for the error.

    Raises
    ------
    InputError
        The loss is not finite.
    """
    loss = torch.stack(list(terms.values())).sum()
    values = {name: float(value.detach()) for name, value in {**terms, "loss": loss}.items()}
    if not math.isfinite(values["loss"]):
        raise InputError("a finite loss", f"{values}", place, "Lower training.learning_rate.")
    training.optimiser.zero_grad(set_to_none=True)
    if loss.requires_grad:
        loss.backward()  # type: ignore[no-untyped-call]
        learned = [p for group in training.optimiser.param_groups for p in group["params"]]
        nn.utils.clip_grad_norm_(learned, LARGEST_GRADIENT)
        training.optimiser.step()
    training.average.update_parameters(training.model)
    return values
