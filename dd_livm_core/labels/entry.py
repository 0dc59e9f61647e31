"""Holds what a label file says of one image before it is checked and placed on the pixels of that image."""

import math
from dataclasses import dataclass

from dd_livm_core.camera_files.frames import ImageFrame
from dd_livm_core.errors import InputError
from dd_livm_core.labels.label import LEAST_INSIDE_PX, Box, Label, check_label, lies_in_frame


@dataclass(frozen=True)
class SetAside:
    """A label, or a file of labels, that is not used: where it stands, and why."""

    where: str
    reason: str


TWICE = "the same label stands there twice: one is kept"


@dataclass(frozen=True)
class Drawn:
    """One label as a file states it: its place in the file, box, and the names of class and shape, unchecked."""

    place: str
    box_xywh: Box
    name: object
    shape: object = None


@dataclass(frozen=True)
class Entry:
    """What a label set says of one image.

    Attributes
    ----------
    name
        As the set has it; named in messages.
    image_names
        What the entry may call its image, the most telling first; with endings, folders and marks of tools.
    drawn, broken
        Its labels, and those that are no box at all.
    stated_px
        (width, height) of the image that was labelled, where the file states it.
    in_shares
        Boxes are shares of the picture's width and height, as in YOLO.
    on_raster
        Boxes are where the raster has things, not where the shown picture does, as in labels that a mission keeps.
    """

    name: str
    image_names: tuple[str, ...]
    drawn: tuple[Drawn, ...]
    broken: tuple[SetAside, ...] = ()
    stated_px: tuple[float, float] | None = None
    in_shares: bool = False
    on_raster: bool = False


def stated_size_px(width: object, height: object) -> tuple[float, float] | None:
    """Return the (width, height) that a label file states, or None where it states neither.

    What is no number becomes NaN, which no frame has: it costs the entry, and is named.
    """
    if width is None and height is None:
        return None
    return _number(width), _number(height)


def _number(value: object) -> float:
    """Return a number that a file states as one or as a text, or NaN."""
    try:
        return float(value) if isinstance(value, int | float | str) else math.nan
    except (ValueError, OverflowError):
        return math.nan


def place_labels(entry: Entry, frame: ImageFrame) -> tuple[list[Label], list[SetAside]]:
    """Return an entry's labels in pixels of a frame's raster, and what cannot be used of it.

    One bad label costs only itself; a stated size that the frame cannot have costs the entry.
    """
    try:
        across, down = _scale(entry, frame)
        right, below = (0.0, 0.0) if entry.on_raster else frame.offset_from(entry.stated_px)
    except ValueError as error:
        return [], [SetAside(entry.name, str(error)), *entry.broken]
    labels: list[Label] = []
    aside = list(entry.broken)
    for drawn in entry.drawn:
        x, y, width, height = drawn.box_xywh
        box = (across * x - right, down * y - below, across * width, down * height)
        try:
            label = check_label(box, drawn.name, drawn.shape, entry.name, "")
            _require_in_frame(label, frame, drawn, entry)
        except InputError as error:
            reason = f"expected {error.expected}, found {error.found}"
            aside.append(SetAside(f"{entry.name}, {drawn.place}", reason))
        else:
            if label in labels:
                aside.append(SetAside(f"{entry.name}, {drawn.place}", TWICE))
            else:
                labels.append(label)
    return labels, aside


def _scale(entry: Entry, frame: ImageFrame) -> tuple[float, float]:
    """Return the factors from an entry's numbers to pixels of the raster; a ValueError says why there are none."""
    if not entry.in_shares:
        return frame.scale_from(entry.stated_px)
    across, down = frame.scale_from(None)
    return across * frame.picture_px[0], down * frame.picture_px[1]


def _require_in_frame(label: Label, frame: ImageFrame, drawn: Drawn, entry: Entry) -> None:
    """Raise an InputError for a box that cannot be in pixels, or reaches out of the frame: its size is another's."""
    x, y, across, down = drawn.box_xywh
    if not entry.in_shares and max(x + across, y + down) < 1:
        found = ", ".join(f"{value:g}" for value in drawn.box_xywh)
        raise InputError("a box in pixels", f"{found}, which are shares", entry.name, "")
    if not lies_in_frame(label, *frame.raster_px):
        width, height = entry.stated_px or frame.picture_px
        within = "shares of 0 to 1" if entry.in_shares else f"0 to {width:g} x 0 to {height:g} px"
        if frame.remark and not entry.on_raster:
            within += f"; {frame.remark}"
        found = ", ".join(f"{value:g}" for value in drawn.box_xywh)
        expected = f"a box with at least {LEAST_INSIDE_PX:g} px inside the frame, {within}"
        raise InputError(expected, found, entry.name, "")
