"""Holds the sizes of one image, and carries boxes from a size that a label file states to the pixels read."""

from dataclasses import dataclass
from pathlib import Path

from dd_livm_core.camera_files.dji import dji_raster_px, has_reader, holds_dji_counts
from dd_livm_core.camera_files.flir import flir_raster_px
from dd_livm_core.camera_files.images import (
    MIN_SIDE_PX,
    TIFF_STARTS,
    picture_size_px,
    read_bytes,
)
from dd_livm_core.camera_files.orientation import orientation_of, upright_size_px

Size = tuple[float, float]
"""(width, height)."""


@dataclass(frozen=True)
class ImageFrame:
    """The two grids of one image file, upright.

    Attributes
    ----------
    picture_px
        (width, height) of the picture as viewers and labelling tools show it.
    raster_px
        (width, height) of the pixels as the product reads them: of a radiometric file the sensor's raster, which
        may be coarser than the picture. Boxes are kept in its pixels.
    """

    picture_px: tuple[int, int]
    raster_px: tuple[int, int]

    def scale_from(self, stated_px: Size | None) -> Size:
        """Return the factors (x, y) from pixels of a labelled image to pixels of the raster.

        Parameters
        ----------
        stated_px
            (width, height) that the label file states; None where it states none, which is the picture.

        Raises
        ------
        ValueError
            An image of that size cannot show the whole frame; the message says what was expected and found.
        """
        stated = stated_px or self.picture_px
        if stated == self.raster_px:
            return 1.0, 1.0
        if min(stated) < MIN_SIDE_PX or not _same_shape(stated, self.picture_px):
            raise ValueError(self._complaint(stated))
        if not _same_shape(self.raster_px, self.picture_px):
            raise ValueError(
                f"expected a picture of the raster's shape {_text(self.raster_px)}, "
                f"found {_text(self.picture_px)}: where the one lies in the other is not known"
            )
        return self.raster_px[0] / stated[0], self.raster_px[1] / stated[1]

    def _complaint(self, stated: Size) -> str:
        """Return why an image of the stated size cannot be this picture."""
        said = f"expected the size of the picture, {_text(self.picture_px)}, or of its shape"
        if min(stated) >= MIN_SIDE_PX and _same_shape(stated[::-1], self.picture_px):
            turned = "its height by its width, as before EXIF turns it upright"
            return f"{said}, found {_text(stated)}: {turned}"
        return f"{said}, found {_text(stated)}"


def _same_shape(size: Size, other: Size) -> bool:
    """Return whether one size is the other enlarged or reduced, up to rounding to whole pixels."""
    return abs(size[0] * other[1] - size[1] * other[0]) <= (other[0] + other[1]) / 2


def _text(size: Size) -> str:
    """Return a size as words."""
    return f"{size[0]:g} x {size[1]:g} px"


def read_infrared_frame(path: Path) -> ImageFrame:
    """Return the sizes of an infrared image's picture and raster, from headers alone.

    Raises
    ------
    InputError
        It is no image, or its embedded raster is broken.
    """
    content = read_bytes(path)
    picture_px = picture_size_px(content, path)
    if content[:4] in TIFF_STARTS:
        return ImageFrame(picture_px, picture_px)
    stored_px = flir_raster_px(content, path)
    if stored_px is None and has_reader() and holds_dji_counts(content):
        stored_px = dji_raster_px(
            content, upright_size_px(picture_px, orientation_of(content)), path
        )
    if stored_px is None:
        return ImageFrame(picture_px, picture_px)
    return ImageFrame(picture_px, upright_size_px(stored_px, orientation_of(content)))


def read_visible_frame(path: Path) -> ImageFrame:
    """Return the sizes of a visible image, whose pixels are those of its picture.

    Raises
    ------
    InputError
        It is no image.
    """
    size_px = picture_size_px(read_bytes(path), path)
    return ImageFrame(size_px, size_px)
