"""Trains the base model on frames of many plants: real ones that people drew on, and simulated ones."""

from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from dd_livm_core.base_model.backbone import load_imagenet_weights
from dd_livm_core.base_model.crops import TrainingFrame, draw_crop
from dd_livm_core.base_model.losses import base_loss
from dd_livm_core.base_model.network import BaseNetwork
from dd_livm_core.base_model.targets import DenseTargets
from dd_livm_core.camera_files.picture_values import read_picture_values
from dd_livm_core.errors import InputError
from dd_livm_core.labels.plant_labels import DrawnPlants
from dd_livm_core.training.checkpoints import Training, restore_checkpoint, write_checkpoint
from dd_livm_core.training.loop import average_weights, set_learning_rate, take_step
from dd_livm_core.training.prefetch import prefetch


class PretrainingConfig(BaseModel):
    """What decides the base model beside frames and code.

    Attributes
    ----------
    steps, batch_size
        Batches in all, and crops in each.
    learning_rate, encoder_rate_factor
        Of AdamW, and the encoder's share of it: its weights come from ImageNet.
    ema_decay
        Of the weight average, which is the result.
    painted_share
        Share of the crops into which hotspots are painted.
    torch_threads
        Does not change what is learnt, but the last bits of it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = 0
    steps: PositiveInt = 500
    batch_size: PositiveInt = 8
    learning_rate: PositiveFloat = 2e-3
    encoder_rate_factor: PositiveFloat = 0.3
    weight_decay: float = Field(0.02, ge=0)
    ema_decay: float = Field(0.995, ge=0, lt=1)
    painted_share: float = Field(0.5, ge=0, le=1)
    torch_threads: PositiveInt = 2


STEPS_A_CHECKPOINT = 50


def read_training_frames(plants: DrawnPlants, without: Sequence[str] = ()) -> list[TrainingFrame]:
    """Read the frames of all plants but some, as the pictures that people drew on.

    Raises
    ------
    InputError
        No frame is left, or an image cannot be read or has another size than its labels say.
    """
    frames = []
    for drawn in plants.frames:
        if drawn.site in without:
            continue
        path = plants.folder / drawn.file
        values = read_picture_values(path)
        if values.shape != (drawn.height, drawn.width):
            found = f"{values.shape[1]} x {values.shape[0]} px"
            raise InputError(
                f"an image of {drawn.width} x {drawn.height} px", found, path, "Mend its labels."
            )
        frames.append(
            TrainingFrame(
                plant=drawn.site,
                values=values,
                panel=drawn.panel_mask(),
                ignored=drawn.ignored_mask(),
                sure_xywh_px=drawn.boxes_xywh_px("sure"),
                doubtful_xywh_px=drawn.boxes_xywh_px("doubtful"),
                module_short_px=drawn.module_short_px or float("nan"),
            )
        )
    if not frames:
        raise InputError("frames of at least one plant", "none", plants.folder, "Add labels.")
    return frames


def pretrain(
    frames: Sequence[TrainingFrame],
    config: PretrainingConfig,
    work_dir: Path,
    *,
    imagenet_weights: Path | None = None,
    on_checkpoint: Callable[[int, dict[str, float]], None] | None = None,
) -> BaseNetwork:
    """Train a base model, going on from its last checkpoint where it was killed: the weights are the same bit for bit.

    Parameters
    ----------
    work_dir
        Holds the checkpoint.
    imagenet_weights
        File of EfficientNet-Lite0 that the encoder starts from; None draws its weights from the seed.
    on_checkpoint
        Called with the number of finished steps and the mean losses since the last call.
    """
    torch.set_num_threads(config.torch_threads)
    torch.use_deterministic_algorithms(True)
    work_dir.mkdir(parents=True, exist_ok=True)
    training = _begin(config, imagenet_weights)
    restore_checkpoint(work_dir, training)
    plants = sorted({frame.plant for frame in frames})
    by_plant = [[frame for frame in frames if frame.plant == plant] for plant in plants]
    make = partial(_make_batch, by_plant, config)
    done = STEPS_A_CHECKPOINT * len(training.history)
    totals: dict[str, float] = {}
    training.model.train()
    for step, (channels, targets) in enumerate(prefetch(make, range(done, config.steps)), done):
        set_learning_rate(training, step / config.steps)
        with torch.autocast("cpu", torch.bfloat16):
            maps = training.model(channels)
        losses = base_loss(maps, targets)
        values = take_step(training, losses, f"step {step}")
        totals = {name: totals.get(name, 0.0) + values[name] for name in losses}
        if (step + 1) % STEPS_A_CHECKPOINT == 0:
            record = {name: value / STEPS_A_CHECKPOINT for name, value in totals.items()}
            training.history.append(record)
            write_checkpoint(work_dir, training)
            totals = {}
            if on_checkpoint:
                on_checkpoint(step + 1, record)
    network = training.average.module
    assert isinstance(network, BaseNetwork)
    return network.eval()


def _begin(config: PretrainingConfig, imagenet_weights: Path | None) -> Training[BaseNetwork]:
    """Return a training before its first step."""
    torch.manual_seed(config.seed)
    network = BaseNetwork()
    if imagenet_weights is not None:
        load_imagenet_weights(network.encoder, imagenet_weights)
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    own = set(network.encoder.parameters())
    encoder_rate = config.learning_rate * config.encoder_rate_factor
    groups = [
        {"params": list(network.encoder.parameters()), "initial_lr": encoder_rate},
        {
            "params": [p for p in network.parameters() if p not in own],
            "initial_lr": config.learning_rate,
        },
    ]
    optimiser = torch.optim.AdamW(groups, lr=config.learning_rate, weight_decay=config.weight_decay)
    average = AveragedModel(network, avg_fn=partial(average_weights, config.ema_decay))
    return Training(network, optimiser, average, [])


def _make_batch(
    by_plant: Sequence[Sequence[TrainingFrame]], config: PretrainingConfig, step: int
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the crops of a step and their targets; seed and step decide them."""
    cv2.setNumThreads(1)
    crops = []
    for number in range(config.batch_size):
        rng = np.random.default_rng([config.seed, step, number])
        of_plant = by_plant[int(rng.integers(len(by_plant)))]
        frame = of_plant[int(rng.integers(len(of_plant)))]
        crops.append(draw_crop(frame, rng, painted_share=config.painted_share))
    channels = torch.from_numpy(np.stack([channels for channels, _ in crops]))
    targets = {
        field.name: torch.from_numpy(
            np.stack([getattr(target, field.name) for _, target in crops]).astype(np.float32)
        )
        for field in fields(DenseTargets)
    }
    return channels.contiguous(memory_format=torch.channels_last), targets
