"""Finds the image files below a folder; what is not read is named with its reason."""

import os
import re
from pathlib import Path

RADIOMETRIC_ENDINGS = (".rjpg", ".rjpeg")
"""Of radiometric JPEG, which most cameras name like any other."""
ENDINGS = (*RADIOMETRIC_ENDINGS, ".jpg", ".jpeg", ".tif", ".tiff", ".png")
UNREAD_ENDINGS = (".dng", ".heic", ".bmp", ".webp", ".irg", ".seq", ".csq")
"""Images as well, but of kinds that are not read."""
LEFT_BY_COMPUTERS = re.compile(r"(^|/)(\._|\.[^/.][^/]*/)")
"""Files that macOS leaves beside each one, and hidden folders."""

Single = list[tuple[Path, str]]
"""Files that are in no pair, each with the reason."""


def find_images(root: Path) -> tuple[list[Path], Single]:
    """Return the image files below a folder in the order of their paths, and with a reason what is not read.

    Links are not followed out of the folder, and linked folders not at all, so that nothing is read twice or without
    end.
    """
    found: list[Path] = []
    single: Single = []
    waiting, inside = [root], root.resolve()
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(folder / entry.name)
                    elif why := _reason_not_to_read(entry, root, inside):
                        single.append((folder / entry.name, why))
                    elif entry.name.lower().endswith(ENDINGS) and entry.is_file():
                        found.append(folder / entry.name)
        except OSError as error:
            single.append((folder, f"a folder that cannot be read ({error.strerror})"))
    return sorted(found, key=lambda path: path.parts), sorted(single)


def _reason_not_to_read(entry: os.DirEntry[str], root: Path, inside: Path) -> str | None:
    """Return why a file or link is not read although it is or holds images, or None."""
    is_image = entry.name.lower().endswith(ENDINGS)
    if entry.is_symlink():
        path = Path(entry.path)
        target = Path(os.path.realpath(path))
        if entry.is_dir():
            return f"a linked folder, which is not followed: copy its images here, or take in {target} by itself"
        if is_image and not entry.is_file():
            return f"a link to nothing ({target})"
        if is_image and not target.is_relative_to(inside):
            return f"a link that leaves the folder: copy the image here, or take in {target.parent} by itself"
    if entry.name.lower().endswith(UNREAD_ENDINGS):
        return "an image of a kind that is not read (JPEG, TIFF and PNG are)"
    if is_image and LEFT_BY_COMPUTERS.search(Path(entry.path).relative_to(root).as_posix()):
        return "a hidden file, as computers leave beside images"
    return None
