"""The peak memory of a process, as Linux keeps it."""

from pathlib import Path


def read_peak_mib(pid: int | str = "self") -> float:
    """Return the largest resident memory that a process ever had, in MiB.

    From ``VmHWM``: ``ru_maxrss`` survives fork and exec, so that a child would report its parent's memory.
    Raises OSError or StopIteration for a process that has ended.
    """
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) / 1024
