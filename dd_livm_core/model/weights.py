"""Read and write a detector as one safetensors file, which also says how to build the network; nothing is pickled."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from dd_livm_core.errors import InputError
from dd_livm_core.files import atomic
from dd_livm_core.model.detector import Architecture, Detector

WEIGHTS = "weights.safetensors"


def save_detector(model: Detector, path: Path) -> None:
    """Write weights and everything needed to use them as one safetensors file, in one move."""
    tensors = {name: value.contiguous() for name, value in model.state_dict().items()}
    content = {
        "architecture": vars(model.architecture),
        "threshold": model.threshold,
        "sha256": hash_tensors(tensors),
    }
    # One entry, as safetensors writes several in random order and the file is known by its hash.
    about = {"detector": json.dumps(content)}
    with atomic(path) as unfinished:
        save_file(tensors, unfinished, about)


def hash_tensors(tensors: Mapping[str, Tensor]) -> str:
    """Return SHA-256 over the names and values of tensors; safetensors itself does not notice a changed value."""
    content = hashlib.sha256()
    for name, value in sorted(tensors.items()):
        content.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        content.update(value.detach().cpu().contiguous().numpy().tobytes())
    return content.hexdigest()


def load_detector(path: Path) -> Detector:
    """Read a detector, in evaluation mode.

    Raises
    ------
    InputError
        The file is no detector in safetensors format, or its values have changed since it was written.
    """
    try:
        with safe_open(path, "pt") as stored:
            about = json.loads((stored.metadata() or {})["detector"])
            model = Detector(Architecture(**about["architecture"]))
            model.threshold = float(about["threshold"])
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
        if about.get("sha256", "not kept yet") not in ("not kept yet", hash_tensors(tensors)):
            raise ValueError("its values have changed since it was written")
        model.load_state_dict(tensors)
    except (OSError, SafetensorError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise InputError(
            "a detector in safetensors format",
            str(error)[:300],
            path,
            "Train one with `dd-livm retrain`.",
        ) from error
    return model.eval()
