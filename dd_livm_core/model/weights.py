"""Read and write a detector as one safetensors file, which also says how to build the network; nothing is pickled."""

import json
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from dd_livm_core.errors import InputError
from dd_livm_core.files import atomic
from dd_livm_core.model.detector import Architecture, Detector

WEIGHTS = "weights.safetensors"


def save_detector(model: Detector, path: Path) -> None:
    """Write a detector's weights, architecture and threshold as one safetensors file, in one move."""
    content = {"architecture": vars(model.architecture), "threshold": model.threshold}
    # One entry, as safetensors writes several in random order and the file is known by its hash.
    about = {"detector": json.dumps(content)}
    with atomic(path) as unfinished:
        save_file({k: v.contiguous() for k, v in model.state_dict().items()}, unfinished, about)


def load_detector(path: Path) -> Detector:
    """Read a detector, in evaluation mode.

    Raises
    ------
    InputError
        There is no such file, or it is no detector in safetensors format.
    """
    try:
        with safe_open(path, "pt") as stored:
            about = json.loads((stored.metadata() or {})["detector"])
            model = Detector(Architecture(**about["architecture"]))
            model.threshold = float(about["threshold"])
            model.load_state_dict({name: stored.get_tensor(name) for name in stored.keys()})  # noqa: SIM118
    except (OSError, SafetensorError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise InputError(
            "a detector in safetensors format",
            str(error)[:300],
            path,
            "Train one with `dd-livm retrain`.",
        ) from error
    return model.eval()
