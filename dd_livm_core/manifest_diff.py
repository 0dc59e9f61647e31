"""What changed between two manifests: pairs, labels, sites."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dd_livm_core.manifest import KEY
from dd_livm_core.records import DEFECT_CLASSES

PairKey = tuple[str, str, str]
IMAGE_COLUMNS = ["infrared_sha256", "visible_sha256"]
LABEL_COLUMNS = ["labelled", "annotations_sha256"]
COUNT_COLUMNS = [f"labels_{name}" for name in DEFECT_CLASSES]


@dataclass(frozen=True)
class ManifestDifference:
    """Keys are (site_id, mission_id, pair_id); ``label_counts`` holds (before, after) per class that changed."""

    added: tuple[PairKey, ...]
    removed: tuple[PairKey, ...]
    images_changed: tuple[PairKey, ...]
    labels_changed: tuple[PairKey, ...]
    sites_added: tuple[str, ...]
    sites_removed: tuple[str, ...]
    label_counts: dict[str, tuple[int, int]]

    @property
    def same(self) -> bool:
        """Whether images and labels are the same."""
        return not (self.added or self.removed or self.images_changed or self.labels_changed)


def manifest_diff(before: pd.DataFrame, after: pd.DataFrame) -> ManifestDifference:
    """Compare two manifests by pair key and content hash.

    Parameters
    ----------
    before, after
        Manifests as `read_manifest` returns them; an empty one is allowed.
    """
    columns = [*KEY, *IMAGE_COLUMNS, *LABEL_COLUMNS, *COUNT_COLUMNS]
    old, new = (table.reindex(columns=columns).set_index(KEY) for table in (before, after))
    both = old.index.intersection(new.index).sort_values()
    sites = [set(table.index.get_level_values("site_id")) for table in (old, new)]
    counts = {
        name: (int(old[f"labels_{name}"].sum()), int(new[f"labels_{name}"].sum()))
        for name in DEFECT_CLASSES
    }
    return ManifestDifference(
        added=_keys(new.index.difference(old.index)),
        removed=_keys(old.index.difference(new.index)),
        images_changed=_keys(both[_differ(old.loc[both], new.loc[both], IMAGE_COLUMNS)]),
        labels_changed=_keys(both[_differ(old.loc[both], new.loc[both], LABEL_COLUMNS)]),
        sites_added=tuple(sorted(sites[1] - sites[0])),
        sites_removed=tuple(sorted(sites[0] - sites[1])),
        label_counts={name: pair for name, pair in counts.items() if pair[0] != pair[1]},
    )


def _differ(old: pd.DataFrame, new: pd.DataFrame, columns: list[str]) -> NDArray[np.bool_]:
    """Compare as text, so that a missing hash equals a missing hash."""
    return np.asarray((old[columns].astype(str) != new[columns].astype(str)).any(axis=1), bool)


def _keys(index: Any) -> tuple[PairKey, ...]:
    return tuple((str(a), str(b), str(c)) for a, b, c in index)
