"""Seeded damage to image files: what disks, cables and attackers do."""

import numpy as np

KINDS = ("bits", "bytes", "cut", "zeros", "swap", "insert", "header", "lengths")


def mutate(content: bytes, rng: np.random.Generator) -> tuple[str, bytes]:
    """Return the kind of damage and the damaged bytes."""
    kind = str(rng.choice(KINDS))
    data = bytearray(content)
    size = len(data)
    at = int(rng.integers(size))
    run = int(rng.integers(1, max(2, min(4096, size // 4))))
    if kind == "bits":
        for place in rng.integers(size, size=int(rng.integers(1, 32))):
            data[place] ^= 1 << int(rng.integers(8))
    elif kind == "bytes":
        noise = rng.integers(0, 256, run, np.uint8).tobytes()
        data[at : at + run] = noise[: size - at]
    elif kind == "cut":
        del data[at:]
    elif kind == "zeros":
        data[at : at + run] = bytes(min(run, size - at))
    elif kind == "swap":
        other = int(rng.integers(size))
        data[at : at + run], data[other : other + run] = (
            data[other : other + run],
            data[at : at + run],
        )
    elif kind == "insert":
        data[at:at] = rng.integers(0, 256, run, np.uint8).tobytes()
    elif kind == "header":
        for place in rng.integers(min(size, 4096), size=8):
            data[place] = int(rng.integers(256))
    else:  # large numbers where lengths and sizes stand
        for place in rng.integers(min(size, 8192), size=4):
            data[place : place + 4] = b"\xff\xff\xff\x7f"
    return kind, bytes(data)
