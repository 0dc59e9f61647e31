"""Keep the state of a training after each epoch, so that a killed one goes on to the same weights.

Draws follow from seed, stage, epoch and pair: no random state needs to be kept.
"""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.optim.swa_utils import AveragedModel

from dd_livm_core.files import write_text
from dd_livm_core.model.detector import Detector
from dd_livm_core.model.weights import WEIGHTS

CURRENT, AVERAGE, PROGRESS = "epoch", "average.safetensors", "progress.pt"
"""Files: the name of the last whole checkpoint's folder; in that folder, weight average, and optimiser with history."""


@dataclass
class Training:
    """A training between two epochs.

    Attributes
    ----------
    average
        Exponential moving average of the model's weights: the result of the stage.
    history
        One record per finished epoch.
    """

    model: Detector
    optimiser: torch.optim.Optimizer
    average: AveragedModel
    history: list[dict[str, float]]


def write_checkpoint(folder: Path, training: Training) -> None:
    """Write a checkpoint into a folder of its own, name it in the file ``epoch`` in one move, and remove older ones."""
    fresh = Path(tempfile.mkdtemp(prefix="epoch-", dir=folder))
    _write_weights(training.model, fresh / WEIGHTS)
    _write_weights(training.average, fresh / AVERAGE)
    torch.save(
        {"optimiser": training.optimiser.state_dict(), "history": training.history},
        fresh / PROGRESS,
    )
    write_text(folder / CURRENT, fresh.name)
    for old in folder.glob("epoch-*"):
        if old != fresh:
            shutil.rmtree(old, ignore_errors=True)


def restore_checkpoint(folder: Path, training: Training) -> None:
    """Set a training to its last finished epoch; without a checkpoint it stays as it is."""
    current = folder / CURRENT
    if not current.exists():
        return
    latest = folder / current.read_text(encoding="utf-8")
    training.model.load_state_dict(load_file(latest / WEIGHTS))
    training.average.load_state_dict(load_file(latest / AVERAGE))
    progress: dict[str, Any] = torch.load(latest / PROGRESS, weights_only=True)
    training.optimiser.load_state_dict(progress["optimiser"])
    training.history[:] = progress["history"]


def _write_weights(module: nn.Module, path: Path) -> None:
    """Write a network's state as safetensors."""
    save_file({name: value.contiguous() for name, value in module.state_dict().items()}, path)
