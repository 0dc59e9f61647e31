"""Let threads wait for work without spinning."""

import os


def wait_passively() -> None:
    """Let OpenMP's threads sleep while they wait, unless the user has said otherwise.

    By default they spin while they wait, and take the core from the thread that they wait for: beside another busy
    process, training on two cores took four times as long. OpenMP reads this once: call it before PyTorch is imported.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
