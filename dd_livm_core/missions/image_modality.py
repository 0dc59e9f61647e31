"""Tells infrared from visible images: by name, else by folder, by what the file says of its camera, by its content."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from dd_livm_core.camera_files.metadata import ImageMetadata
from dd_livm_core.missions.image_content import MAX_INFRARED_PX, modalities_by_content
from dd_livm_core.missions.image_names import OTHER, Modality, NamedImage, folder_modality
from dd_livm_core.missions.image_search import Single
from dd_livm_core.missions.pairing_by_time import MetadataOf

INFRARED_CAMERAS = {"XT S", "XT", "FLIR"}
"""Models that take infrared images only; a Zenmuse XT R names itself FLIR."""
DOUBLE_CAMERAS = {"FC2403", "XT2", "MAVIC2-ENTERPRISE-ADVANCED"}
"""Models that name both their cameras alike and may leave out marks; FC2403 is the Mavic 2 Enterprise Dual."""
VISIBLE_SOURCES = ("wide", "zoom", "visible", "rgb")
"""Beginnings of DJI's ``ImageSource``, in lower case."""
WITHOUT_MODALITY = (
    "neither its folder nor its name nor its camera nor its content says infrared or visible"
)
VISIBLE: Modality = "visible"


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
    camera. What is left is visible where only infrared images beside it are marked, as of cameras that mark no other;
    else its content decides.
    """
    said: dict[tuple[str, ...], set[Modality]] = defaultdict(set)
    for image in images:
        if image.modality:
            for end in range(len(image.parents) + 1):
                said[image.parents[:end]].add(image.modality)
    for folder, image in _first_unmarked(images).items():
        by_name = folder_modality(folder[-1])
        own = camera_modality(metadata_of(image.path)) if by_name else None
        if by_name and own == OTHER[by_name[0]]:
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
    by_rest = {x.path for x in unmarked if beside[x.parents] == {"infrared"}}
    sizes_px = _sizes_px(unmarked, metadata_of)
    told = modalities_by_content(
        {p: s for p, s in sizes_px.items() if p not in by_rest or s[0] * s[1] <= MAX_INFRARED_PX}
    )
    # photographs far from infrared images stay unmarked: nothing says that they are of this flight
    folders = {path.parent for path, modality in told.items() if modality == "infrared"}
    found = {p: modality for p, modality in told.items() if p.parent in folders}
    found = {**dict.fromkeys(by_rest, VISIBLE), **found}
    for image in unmarked:
        if told.get(image.path) != "visible" and _is_below_infrared(image, said):
            found.setdefault(image.path, "infrared")
    settled += [(replace(x, modality=found[x.path]), None) for x in unmarked if x.path in found]
    return settled, [(x.path, WITHOUT_MODALITY) for x in unmarked if x.path not in found]


def find_photographs(images: Sequence[NamedImage], metadata_of: MetadataOf) -> set[Path]:
    """Return those of infrared images without a visible one that are photographs by their content.

    Only those are looked at that neither a mark nor a camera of infrared images alone makes sure: a folder ``T-12`` or
    a small frame does not.
    """
    unsure = [
        image
        for image in images
        if image.mark is None and not _is_of_infrared_camera(metadata_of(image.path))
    ]
    told = modalities_by_content(_sizes_px(unsure, metadata_of))
    return {path for path, modality in told.items() if modality == "visible"}


def _is_of_infrared_camera(metadata: ImageMetadata | None) -> bool:
    return metadata is not None and (
        sure_modality(metadata) == "infrared" or metadata.camera_model in INFRARED_CAMERAS
    )


def _sizes_px(images: Sequence[NamedImage], metadata_of: MetadataOf) -> dict[Path, tuple[int, int]]:
    """Return width and height of those images that can be read."""
    found = {image.path: metadata_of(image.path) for image in images}
    return {path: (m.width_px, m.height_px) for path, m in found.items() if m is not None}


def _is_below_infrared(image: NamedImage, said: dict[tuple[str, ...], set[Modality]]) -> bool:
    """Return whether the mission's folder itself is named as of infrared images, and no file in it as visible."""
    name = image.path.parents[len(image.parents)].name
    found = folder_modality(name)
    only_a_letter = found is not None and bool(found[1]) and name[1:2] in "-_"
    return (
        found is not None
        and found[0] == "infrared"
        and not only_a_letter
        and said[()] <= {"infrared"}
    )


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
