"""Finds the image that a label file means by the name that a labelling tool gave it."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from urllib.parse import unquote

ENDING = re.compile(r"\.(r?jpe?g|png|tiff?|bmp|webp|txt|xml|json)$", re.IGNORECASE)
LOCAL_FILE = re.compile(r"^.*[?&]d=")
"""Label Studio's address of a file that it serves itself."""
QUERY = re.compile(r"(\.(?:jpe?g|png|tiff?|bmp|webp))[?#].*$", re.IGNORECASE)
"""What stands behind a file in an address, such as a signature."""
UPLOAD_MARK = re.compile(r"(^|/)[0-9a-f]{8}-(?=[^/]+$)")
"""Label Studio's mark before an uploaded file's name."""
COPY_MARK = re.compile(r"\.rf\.[0-9a-zA-Z]+$")
"""Roboflow's mark of an exported copy, between the name and its ending."""
FORMER_ENDING = re.compile(r"([._-](jpe?g|png|tiff?|bmp))+$", re.IGNORECASE)
"""The ending that an image had before Roboflow took the dot out of it."""


class ImageNames:
    """Pairs by what label files may call their images.

    Parameters
    ----------
    names
        Pair id → names without ending. Where two pairs share a name, it is that of the pair that lists it earlier;
        where both list it at the same place, nobody can tell which is meant.

    Attributes
    ----------
    example
        One of the names, for messages.
    """

    def __init__(self, names: Mapping[str, Sequence[str]]) -> None:
        self._exact = _pairs_by_name(names)
        self.example = next((of[0] for of in names.values() if of), "none")
        folded = {pair_id: [_fold(name) for name in of] for pair_id, of in names.items()}
        self._folded = _pairs_by_name(folded)

    def find(self, image_names: Sequence[str]) -> str | None:
        """Return the pair of an image that is called by one of some names, or None.

        Each name is looked up with all of its folders, then with ever fewer; as it is, without regard to capitals
        and punctuation, then without the marks of tools.
        """
        for name in image_names:
            for spelling in _spellings(name):
                for known, key in ((self._exact, spelling), (self._folded, _fold(spelling))):
                    parts = PurePosixPath(key).parts
                    for start in range(len(parts)):
                        tail = "/".join(parts[start:])
                        if tail in known:
                            return known[tail]
        return None

    def is_shared(self, image_names: Sequence[str]) -> bool:
        """Return whether one of some names belongs to several images, so that none of them can be meant."""
        return self.find(image_names) is None and any(
            self._folded.get(_fold(PurePosixPath(spelling).name), "") is None
            for name in image_names
            for spelling in _spellings(name)
        )


def _spellings(name: str) -> list[str]:
    """Return what a tool's name may stand for, without ending: the name itself, and the name without its marks."""
    plain = _drop_ending(QUERY.sub(r"\1", name.strip()).replace("\\", "/"))
    addressed = LOCAL_FILE.sub("", unquote(plain)).replace("\\", "/")
    copied = FORMER_ENDING.sub("", COPY_MARK.sub("", addressed))
    uploaded = UPLOAD_MARK.sub(r"\1", copied)
    return list(dict.fromkeys((plain, _drop_ending(addressed), copied, uploaded)))


def _drop_ending(name: str) -> str:
    """Return a name without the endings of images and label files; a dot within it stays."""
    while ENDING.search(name):
        name = ENDING.sub("", name)
    return name


def _fold(name: str) -> str:
    """Return a name in small letters, with one sign for any punctuation but the slash.

    Accents are joined with their letters, as not all systems write file names.
    """
    return re.sub(r"[^\w/]+", "_", unicodedata.normalize("NFC", name.casefold()))


def _pairs_by_name(names: Mapping[str, Sequence[str]]) -> dict[str, str | None]:
    """Return the pair of every name, or None where two pairs list it at the same place."""
    known: dict[str, str | None] = {}
    for rank in range(max((len(of_pair) for of_pair in names.values()), default=0)):
        claims: dict[str, list[str]] = defaultdict(list)
        for pair_id, of_pair in names.items():
            if rank < len(of_pair):
                claims[of_pair[rank]].append(pair_id)
        for name, claiming in claims.items():
            known.setdefault(name, claiming[0] if len(claiming) == 1 else None)
    return known
