"""Keep the state of a training after each epoch, so that a killed one goes on to the same weights.

Draws follow from seed, stage, epoch and pair: no random state needs to be kept.
"""

import json
import logging
import pickle
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from dd_livm_core.files import hash_file, write_text
from dd_livm_core.model.weights import WEIGHTS

LOG = logging.getLogger(__name__)
CURRENT, AVERAGE, PROGRESS = "epoch", "average.safetensors", "progress.pt"
"""``epoch`` names the folder of the last whole one, with the hashes of its files."""
DAMAGED = (
    *(OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, EOFError),
    *(SafetensorError, pickle.UnpicklingError),
)
"""What reading a damaged checkpoint raises."""


Network = TypeVar("Network", bound=nn.Module)


@dataclass
class Training(Generic[Network]):
    """A training between two epochs.

    Attributes
    ----------
    average
        Exponential moving average of the model's weights: the result of the stage.
    history
        One record per finished epoch.
    """

    model: Network
    optimiser: torch.optim.Optimizer
    average: AveragedModel
    history: list[dict[str, float]]


def write_checkpoint(folder: Path, training: Training[Network]) -> None:
    """Write a checkpoint into a folder of its own, name it in the file ``epoch`` in one move, and remove older ones."""
    fresh = Path(tempfile.mkdtemp(prefix="epoch-", dir=folder))
    _write_weights(training.model, fresh / WEIGHTS)
    _write_weights(training.average, fresh / AVERAGE)
    torch.save(
        {"optimiser": training.optimiser.state_dict(), "history": training.history},
        fresh / PROGRESS,
    )
    hashes = {path.name: hash_file(path) for path in sorted(fresh.iterdir())}
    write_text(folder / CURRENT, json.dumps({"folder": fresh.name, "sha256": hashes}))
    for old in folder.glob("epoch-*"):
        if old != fresh:
            shutil.rmtree(old, ignore_errors=True)


def restore_checkpoint(folder: Path, training: Training[Network]) -> None:
    """Bring a training to its last whole epoch.

    Without a checkpoint it stays as it is; likewise with a damaged one, which is named in the log: the stage
    then begins anew and ends with the same weights.
    """
    current = folder / CURRENT
    if not current.exists():
        return
    try:
        model, average, progress = _read_checkpoint(folder, current)
    except DAMAGED as error:
        LOG.warning("%s: damaged checkpoint (%s), the stage begins anew", current, error)
        return
    training.model.load_state_dict(model)
    training.average.load_state_dict(average)
    training.optimiser.load_state_dict(progress["optimiser"])
    training.history[:] = progress["history"]


def _read_checkpoint(
    folder: Path, current: Path
) -> tuple[dict[str, Tensor], dict[str, Tensor], dict[str, Any]]:
    """Return the weights, their average, and the optimiser's state with the history; raises one of `DAMAGED`."""
    content = json.loads(current.read_text(encoding="utf-8"))
    latest = folder / content["folder"]
    for name in (WEIGHTS, AVERAGE, PROGRESS):
        if hash_file(latest / name) != content["sha256"][name]:
            raise ValueError(f"{name} has changed since it was written")
    progress = torch.load(latest / PROGRESS, weights_only=True)
    return load_file(latest / WEIGHTS), load_file(latest / AVERAGE), progress


def _write_weights(module: nn.Module, path: Path) -> None:
    """Write a network's state as safetensors."""
    save_file({name: value.contiguous() for name, value in module.state_dict().items()}, path)
