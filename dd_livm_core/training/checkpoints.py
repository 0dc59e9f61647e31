"""The state of a training after a whole epoch, so that a killed one goes on to the same weights.

Random draws follow from seed, stage, epoch and pair, so that no random state needs to be kept.
"""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from dd_livm_core.files import write_text
from dd_livm_core.model.weights import WEIGHTS

CURRENT = "epoch"


@dataclass
class Checkpoint:
    """A training between two epochs."""

    model: nn.Module
    optimiser: torch.optim.Optimizer
    average: dict[str, Tensor]
    history: list[dict[str, float]]


def write_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint; the folder's link to the last whole one moves in one step."""
    fresh = Path(tempfile.mkdtemp(prefix="epoch-", dir=folder))
    save_file(
        {k: v.contiguous() for k, v in checkpoint.model.state_dict().items()},
        fresh / WEIGHTS,
    )
    save_file(
        {k: v.contiguous() for k, v in checkpoint.average.items()}, fresh / "average.safetensors"
    )
    torch.save(
        {"optimiser": checkpoint.optimiser.state_dict(), "history": checkpoint.history},
        fresh / "progress.pt",
    )
    current = folder / CURRENT
    write_text(current, fresh.name)
    for old in folder.glob("epoch-*"):
        if old != fresh:
            shutil.rmtree(old, ignore_errors=True)


def read_checkpoint(
    folder: Path, model: nn.Module, optimiser: torch.optim.Optimizer, average: dict[str, Tensor]
) -> Checkpoint | None:
    """Bring model, optimiser and average to the last whole epoch; None where there is none."""
    current = folder / CURRENT
    if not current.exists():
        return None
    latest = folder / current.read_text()
    model.load_state_dict(load_file(latest / WEIGHTS))
    for name, value in load_file(latest / "average.safetensors").items():
        average[name].copy_(value)
    progress: dict[str, Any] = torch.load(latest / "progress.pt", weights_only=True)
    optimiser.load_state_dict(progress["optimiser"])
    return Checkpoint(model, optimiser, average, progress["history"])
