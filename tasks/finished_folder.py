"""What a finished folder of a step held when it was written, kept beside it, so that its content can be verified.

Files of unchanged size and times are taken for unchanged: verifying a folder costs a look at each file. After a
move or a copy, which give new times, each is read once.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from dd_livm_core.files import hash_file, write_json


@dataclass(frozen=True)
class Written:
    """What a folder held when it was written.

    Attributes
    ----------
    sha256
        Over the names and hashes of its files.
    lacks
        What could not be read for it, in words; empty for a result that is whole.
    time_ns
        When it was written, since 1970.
    files
        Name → SHA-256, size in bytes, times of last change of content and of anything, ns since 1970.
    """

    sha256: str
    lacks: str = ""
    time_ns: int = 0
    files: dict[str, tuple[str, int, int, int]] = field(default_factory=dict)


def _record(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.written.json")


def read_written(folder: Path) -> Written | None:
    """Return what a folder held when it was written; None where that is not known."""
    try:
        content = json.loads(_record(folder).read_text(encoding="utf-8"))
        files = {str(name): tuple(entry) for name, entry in content.pop("files").items()}
        return Written(**content, files=files)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def keep_written(folder: Path, written: Written) -> None:
    """Keep beside a folder what it held when it was written."""
    write_json(_record(folder), asdict(written))


def look_at(folder: Path, known: Written | None = None) -> Written:
    """Return what a folder holds now; files whose size and times are as ``known`` are not read."""
    files = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name, stat = path.relative_to(folder).as_posix(), _stat(path)
        before = known.files.get(name) if known else None
        same = before is not None and tuple(before[1:]) == stat
        files[name] = (before[0] if before and same else hash_file(path), *stat)
    content = hashlib.sha256()
    for name, (sha256, *_) in files.items():
        content.update(f"{name} {sha256}\n".encode())
    return Written(content.hexdigest(), files=files)


def _stat(path: Path) -> tuple[int, int, int]:
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns
