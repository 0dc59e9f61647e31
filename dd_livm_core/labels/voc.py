"""Reads XML files of labels; reads and writes Pascal VOC files, without loss of class, box or hotspot shape."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, ParseError, SubElement, indent, tostring

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from dd_livm_core.errors import InputError
from dd_livm_core.files import decode_text, write_text
from dd_livm_core.labels.cvat import ROOT as CVAT_ROOT
from dd_livm_core.labels.cvat import cvat_entries
from dd_livm_core.labels.entry import Drawn, Entry, SetAside, stated_size_px
from dd_livm_core.labels.label import Box, Label
from dd_livm_core.labels.label_files import read_label_bytes
from dd_livm_core.labels.outlines import turned_box
from dd_livm_core.records import DEFECT_CLASSES

VOC_TODO = "Export the labels as Pascal VOC, with the names " + ", ".join(DEFECT_CLASSES) + "."


def write_voc(
    folder: Path,
    labels: Mapping[str, Sequence[Label]],
    files: Mapping[str, str],
    sizes_px: Mapping[str, tuple[int, int]],
) -> None:
    """Write one ``<pair_id>.xml`` per pair. Pixels count from 0, as everywhere here.

    Parameters
    ----------
    labels, files, sizes_px
        By pair id: the labels, the image's file name, and its (width, height) in pixels.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for pair_id, of_pair in labels.items():
        root = Element("annotation")
        SubElement(root, "filename").text = files[pair_id]
        size = SubElement(root, "size")
        for name, value in zip(("width", "height", "depth"), (*sizes_px[pair_id], 1), strict=True):
            SubElement(size, name).text = str(value)
        for label in of_pair:
            entry = SubElement(root, "object")
            SubElement(entry, "name").text = label.defect_class
            if label.hotspot_shape is not None:
                SubElement(entry, "hotspot_shape").text = label.hotspot_shape
            x, y, w, h = label.box_xywh_px
            box = SubElement(entry, "bndbox")
            corners = zip(("xmin", "ymin", "xmax", "ymax"), (x, y, x + w, y + h), strict=True)
            for name, corner in corners:
                SubElement(box, name).text = f"{corner:.17g}"
        indent(root)
        write_text(folder / f"{pair_id}.xml", tostring(root, encoding="unicode"))


def xml_entries(path: Path, name: str) -> list[Entry]:
    """Return what a Pascal VOC file says of its one image, or CVAT's own file of all of its images.

    Parameters
    ----------
    name
        Of a VOC file's entry: the file's path below the set. Its image is called so, or by ``<filename>``.

    Raises
    ------
    InputError
        It is neither of them, or holds an entity bomb.
    """
    root = _parse(path)
    if root.tag == CVAT_ROOT:
        return cvat_entries(root, path)
    if root.tag != "annotation":
        raise InputError("a VOC annotation", f"<{root.tag}>"[:80], path, VOC_TODO)
    return [_voc_entry(root, name)]


def _voc_entry(root: Any, name: str) -> Entry:
    """Return what the outermost element of a VOC file says."""
    drawn: list[Drawn] = []
    broken: list[SetAside] = []
    for number, item in enumerate(root.iter("object"), 1):
        place = f"object {number}"
        try:
            drawn.append(
                Drawn(place, _box(item), item.findtext("name", ""), item.findtext("hotspot_shape"))
            )
        except (AttributeError, TypeError, ValueError) as error:
            broken.append(SetAside(f"{name}, {place}", f"expected a bndbox, found {error}"[:200]))
    said = (root.findtext("filename") or "").strip()
    beside = Path(name).with_name(Path(said.replace("\\", "/")).name).as_posix() if said else ""
    names = tuple(dict.fromkeys(known for known in (name, beside, said) if known))
    stated_px = stated_size_px(root.findtext("size/width"), root.findtext("size/height"))
    return Entry(name, names, tuple(drawn), tuple(broken), stated_px)


def _parse(path: Path) -> Any:
    """Return the root of a VOC file in the encoding of its byte order mark, else the one that it declares."""
    content = read_label_bytes(path)
    try:
        try:
            root = fromstring(content)
        except ParseError:  # where the declaration names another encoding than the bytes are in
            root = fromstring(decode_text(content))
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        found = f"{type(error).__name__}: {error}"[:200]
        raise InputError("a VOC annotation", found, path, VOC_TODO) from error
    return root


def _box(item: Any) -> Box:
    """Return the upright box of an object; CVAT writes a turned one as it was before the turn, and the angle."""
    box = item.find("bndbox")
    x0, y0, x1, y1 = (float(box.find(side).text) for side in ("xmin", "ymin", "xmax", "ymax"))
    for attribute in item.iter("attribute"):
        if attribute.findtext("name") == "rotation":
            degrees = float(attribute.findtext("value"))
            return turned_box((x0, y0, x1 - x0, y1 - y0), degrees)
    return x0, y0, x1 - x0, y1 - y0
