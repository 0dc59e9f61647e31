"""Matches DJI's names that differ in their times only: the files of one exposure share its number."""

import math
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime

from dd_livm_core.missions.image_names import NARROW_VIEWS, NamedImage
from dd_livm_core.missions.image_search import Single
from dd_livm_core.missions.pairing_by_time import TIME_TOLERANCE_S

DJI_TIME = re.compile(r"(?<=DJI[_-])\d{14}(?=[_-]\d{1,6})", re.I)
"""In a name: each file of an exposure is named by the second in which it was written."""
Key = tuple[str, ...]
Keyed = tuple[NamedImage, Key]


def match_by_number(
    keyed: Sequence[Keyed], lax_key: Callable[[NamedImage], Key]
) -> tuple[list[tuple[NamedImage, NamedImage, Key]], list[Keyed], Single]:
    """Return (infrared, visible, infrared's key) by DJI's numbers, the images left over, and further visible ones.

    Times in the names of a pair are `TIME_TOLERANCE_S` apart at most.

    Parameters
    ----------
    keyed
        Images with their keys.
    lax_key
        Returns folders and name of an image as far as they are the same for a pair.
    """
    groups: dict[Key, list[Keyed]] = defaultdict(list)
    for image, key in keyed:
        *folders, name = lax_key(image)
        groups[*folders, DJI_TIME.sub("", name)].append((image, key))
    matched: list[tuple[NamedImage, NamedImage, Key]] = []
    left: list[Keyed] = []
    single: Single = []
    for group in groups.values():
        infrared = [item for item in group if item[0].modality == "infrared"]
        near = [
            image
            for image, _ in group
            if len(infrared) == 1
            and image.modality == "visible"
            and _apart_s(infrared[0][0], image) <= TIME_TOLERANCE_S
        ]
        if not near:
            left += group
            continue
        near.sort(key=lambda image: (image.mark in NARROW_VIEWS, image.path))
        matched.append((infrared[0][0], near[0], infrared[0][1]))
        why = f"a further visible image of {infrared[0][0].path.name}"
        single += [(image.path, why) for image in near[1:]]
        left += [item for item in group if item[0] not in (infrared[0][0], *near)]
    return matched, left, single


def _apart_s(first: NamedImage, second: NamedImage) -> float:
    """Return the seconds between the times in two of DJI's names; infinite where one says none."""
    try:
        times = [
            datetime.strptime(DJI_TIME.findall(image.path.stem)[0], "%Y%m%d%H%M%S")
            for image in (first, second)
        ]
    except (ValueError, IndexError):
        return math.inf
    return abs((times[0] - times[1]).total_seconds())
