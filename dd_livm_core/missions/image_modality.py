"""Tells infrared from visible images: by name, else by folder, else by what the file says of its camera."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from dd_livm_core.camera_files.metadata import ImageMetadata
from dd_livm_core.missions.image_names import OTHER, Modality, NamedImage, folder_modality
from dd_livm_core.missions.image_search import Single

INFRARED_CAMERAS = {"XT S", "XT", "FLIR"}
"""Models that take infrared images only; a Zenmuse XT R names itself FLIR."""
DOUBLE_CAMERAS = {"FC2403", "XT2", "MAVIC2-ENTERPRISE-ADVANCED"}
"""Models that name both their cameras alike and may leave out marks; FC2403 is the Mavic 2 Enterprise Dual."""
MAX_INFRARED_PX = 1280 * 1024
"""Frame of the largest sensor or enlargement that these write; their visible images have millions more."""
VISIBLE_SOURCES = ("wide", "zoom", "visible", "rgb")
"""Beginnings of DJI's ``ImageSource``, in lower case."""
WITHOUT_MODALITY = "neither its folder nor its name nor its camera says infrared or visible"
MetadataOf = Callable[[Path], ImageMetadata | None]


def camera_modality(metadata: ImageMetadata | None) -> Modality | None:
    """Return what an image's own metadata says, surely or else by the camera's model; or None."""
    if metadata is None:
        return None
    if sure := sure_modality(metadata):
        return sure
    if metadata.camera_model in INFRARED_CAMERAS:
        return "infrared"
    if metadata.camera_model in DOUBLE_CAMERAS:
        small = metadata.width_px * metadata.height_px <= MAX_INFRARED_PX
        return "infrared" if small else "visible"
    return None


def sure_modality(metadata: ImageMetadata) -> Modality | None:
    """Return what the numbers of an infrared sensor in the file, or else DJI's ``ImageSource``, say; or None."""
    source = (metadata.image_source or "").lower()
    if metadata.holds_counts or source.startswith("infrared"):
        return "infrared"
    return "visible" if source.startswith(VISIBLE_SOURCES) else None


def settle_modalities(
    images: Sequence[NamedImage], metadata_of: MetadataOf
) -> tuple[list[tuple[NamedImage, int | None]], Single]:
    """Return the images with a modality, each with the depth of the folder that says the same, and the other images.

    A file's mark comes first. A folder counts only where no file below it is marked as of the other kind, as ``T-12``
    may be a row of PV modules, nor the first one without a mark is of the other kind by its camera. Then comes the
    camera. What is left is visible where only infrared images beside it
    are marked, as of cameras that mark no other.
    """
    said: dict[tuple[str, ...], set[Modality]] = defaultdict(set)
    for image in images:
        if image.modality:
            for end in range(1, len(image.parents) + 1):
                said[image.parents[:end]].add(image.modality)
    for folder, image in _first_unmarked(images).items():
        found, own = folder_modality(folder[-1]), None
        if found is not None:
            own = camera_modality(metadata_of(image.path))
        if found is not None and own == OTHER[found[0]]:
            said[folder].add(own)
    settled: list[tuple[NamedImage, int | None]] = []
    unmarked: list[NamedImage] = []
    for image in images:
        depth, by_folder = _find_folder(image, said)
        modality = image.modality or by_folder or camera_modality(metadata_of(image.path))
        if modality:
            agrees = depth is not None and by_folder == modality
            settled.append((replace(image, modality=modality), depth if agrees else None))
        else:
            unmarked.append(image)
    beside: dict[tuple[str, ...], set[Modality | None]] = defaultdict(set)
    for image, _ in settled:
        beside[image.parents].add(image.modality)
    single: Single = []
    for image in unmarked:
        if beside[image.parents] == {"infrared"}:
            settled.append((replace(image, modality="visible"), None))
        else:
            single.append((image.path, WITHOUT_MODALITY))
    return settled, single


def _first_unmarked(images: Sequence[NamedImage]) -> dict[tuple[str, ...], NamedImage]:
    """Return for each folder, by the names of the folders down to it, its first own image without a mark."""
    first: dict[tuple[str, ...], NamedImage] = {}
    for image in images:
        if image.modality is None and image.parents:
            first.setdefault(image.parents, image)
    return first


def _find_folder(
    image: NamedImage, said: dict[tuple[str, ...], set[Modality]]
) -> tuple[int | None, Modality | None]:
    """Return depth and modality of the nearest folder of an image that counts, or (None, None).

    A letter with more behind it, as ``T-12``, does not count for a file without a mark beside marked ones.
    """
    for depth in range(len(image.parents) - 1, -1, -1):
        name, below = image.parents[depth], said[image.parents[: depth + 1]]
        found = folder_modality(name)
        if found is None or not below <= {found[0]}:
            continue
        only_a_letter = found[1] and name[1:2] in "-_ "
        if image.modality or not (below and only_a_letter):
            return depth, found[0]
    return None, None
