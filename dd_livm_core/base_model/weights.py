"""Reads and writes the base model's weights: safetensors, with a card of facts in the file itself."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from dd_livm_core.base_model.network import BaseNetwork
from dd_livm_core.errors import InputError
from dd_livm_core.files import atomic

CARD = "card"
"""Key of the card in the file's metadata: JSON."""
TODO = "Train it with `dd-livm pretrain`."


def save_base(network: BaseNetwork, card: dict[str, Any], path: Path) -> None:
    """Write weights and their card, whole or not at all."""
    tensors = {name: value.contiguous() for name, value in network.state_dict().items()}
    with atomic(path) as unfinished:
        save_file(tensors, unfinished, {CARD: json.dumps(card)})


def load_base(path: Path) -> tuple[BaseNetwork, dict[str, Any]]:
    """Return a network in evaluation mode, and its card.

    Raises
    ------
    InputError
        The file is missing, damaged, or of another network.
    """
    network = BaseNetwork()
    try:
        with safe_open(path, framework="pt") as file:
            card = json.loads((file.metadata() or {})[CARD])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        network.load_state_dict(tensors)
    except (OSError, SafetensorError, RuntimeError, KeyError, ValueError) as error:
        raise InputError("weights of the base model", str(error)[:200], path, TODO) from error
    network.to(memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
    return network, card
