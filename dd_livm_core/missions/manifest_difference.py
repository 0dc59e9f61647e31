"""What changed between two snapshots of ``data/``: pairs, labels, missions, sites."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dd_livm_core.missions.manifest import CONDITIONS, KEY
from dd_livm_core.records import DEFECT_CLASSES, Site

PairKey = tuple[str, str, str]
Change = tuple[Any, Any]
"""(before, after)."""
IMAGE_COLUMNS = ["infrared_sha256", "visible_sha256"]
LABEL_COLUMNS = ["labelled", "annotations_sha256"]
COUNT_COLUMNS = [f"labels_{name}" for name in DEFECT_CLASSES]


@dataclass(frozen=True)
class ManifestDifference:
    """Keys are (site_id, mission_id, pair_id); changed numbers are (before, after).

    Attributes
    ----------
    missions_changed
        (site_id, mission_id, recorded condition) → its change, for missions that both snapshots hold.
    sites_changed
        (site_id, field of its record) → its change, for sites that both snapshots declare.
    label_counts
        Class → change of its count over all pairs, for classes that changed.
    """

    added: tuple[PairKey, ...]
    removed: tuple[PairKey, ...]
    images_changed: tuple[PairKey, ...]
    labels_changed: tuple[PairKey, ...]
    missions_changed: dict[tuple[str, str, str], Change]
    sites_added: tuple[str, ...]
    sites_removed: tuple[str, ...]
    sites_changed: dict[tuple[str, str], Change]
    label_counts: dict[str, tuple[int, int]]

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return not any(vars(self).values())


def manifest_diff(
    before: pd.DataFrame,
    after: pd.DataFrame,
    sites_before: Mapping[str, Site],
    sites_after: Mapping[str, Site],
) -> ManifestDifference:
    """Compare two snapshots by pair key and content hash, mission conditions and site records.

    Parameters
    ----------
    before, after
        Manifests as `read_manifest` returns them; an empty one is allowed.
    sites_before, sites_after
        The sites that each snapshot declares, with or without missions.
    """
    columns = [*KEY, *IMAGE_COLUMNS, *LABEL_COLUMNS, *COUNT_COLUMNS]
    old, new = (table.reindex(columns=columns).set_index(KEY) for table in (before, after))
    both = old.index.intersection(new.index).sort_values()
    counts = {
        name: (int(old[f"labels_{name}"].sum()), int(new[f"labels_{name}"].sum()))
        for name in DEFECT_CLASSES
    }
    return ManifestDifference(
        added=_keys(new.index.difference(old.index)),
        removed=_keys(old.index.difference(new.index)),
        images_changed=_keys(both[_differ(old.loc[both], new.loc[both], IMAGE_COLUMNS)]),
        labels_changed=_keys(both[_differ(old.loc[both], new.loc[both], LABEL_COLUMNS)]),
        missions_changed=_mission_changes(before, after),
        sites_added=tuple(sorted(sites_after.keys() - sites_before.keys())),
        sites_removed=tuple(sorted(sites_before.keys() - sites_after.keys())),
        sites_changed=_site_changes(sites_before, sites_after),
        label_counts={name: pair for name, pair in counts.items() if pair[0] != pair[1]},
    )


def _mission_changes(
    before: pd.DataFrame, after: pd.DataFrame
) -> dict[tuple[str, str, str], Change]:
    """Compare what was recorded for the missions that both hold; it is the same on all pairs of a mission."""
    missions = KEY[:2]
    old, new = (
        table.reindex(columns=[*missions, *CONDITIONS])
        .drop_duplicates(missions)
        .set_index(missions)
        for table in (before, after)
    )
    both = old.index.intersection(new.index).sort_values()
    changes: dict[tuple[str, str, str], Change] = {}
    for name in CONDITIONS:
        for key in both[_differ(old.loc[both], new.loc[both], [name])]:
            values = [None if pd.isna(v) else v for v in (old.loc[key, name], new.loc[key, name])]
            changes[str(key[0]), str(key[1]), name] = (values[0], values[1])
    return changes


def _site_changes(
    before: Mapping[str, Site], after: Mapping[str, Site]
) -> dict[tuple[str, str], Change]:
    return {
        (site_id, name): (value, getattr(after[site_id], name))
        for site_id in sorted(before.keys() & after.keys())
        for name, value in before[site_id]
        if value != getattr(after[site_id], name)
    }


def _differ(old: pd.DataFrame, new: pd.DataFrame, columns: list[str]) -> NDArray[np.bool_]:
    """Mark the rows that differ; a missing value equals a missing value."""
    unknown = old[columns].isna() & new[columns].isna()
    differs = old[columns].astype(str) != new[columns].astype(str)
    return np.asarray((differs & ~unknown).any(axis=1), bool)


def _keys(index: Any) -> tuple[PairKey, ...]:
    return tuple((str(a), str(b), str(c)) for a, b, c in index)


def describe(difference: ManifestDifference, shown: int = 10) -> list[str]:
    """Tell a difference in lines for a person, at most ``shown`` keys of each kind."""
    if difference.same:
        return ["pairs, labels, missions and sites are the same"]
    lines = [
        *_listed("sites added", [*difference.sites_added], shown),
        *_listed("sites removed", [*difference.sites_removed], shown),
        *_listed("sites changed", _changes(difference.sites_changed.items()), shown),
        *_listed("missions changed", _changes(difference.missions_changed.items()), shown),
    ]
    for title, keys in (
        ("pairs added", difference.added),
        ("pairs removed", difference.removed),
        ("pairs with other images", difference.images_changed),
        ("pairs with other labels", difference.labels_changed),
    ):
        lines += _listed(title, ["/".join(key) for key in keys], shown)
    counts = [f"{name}: {old} -> {new}" for name, (old, new) in difference.label_counts.items()]
    return lines + _listed("label counts", counts, len(counts))


def _changes(changes: Iterable[tuple[tuple[str, ...], Change]]) -> list[str]:
    return [
        f"{'/'.join(key[:-1])} {key[-1]}: {_shown(old)} -> {_shown(new)}"
        for key, (old, new) in changes
    ]


def _shown(value: object) -> str:
    return "not recorded" if value is None else str(value)


def _listed(title: str, entries: Sequence[str], shown: int) -> list[str]:
    if not entries:
        return []
    more = [f"  ... and {len(entries) - shown} more"] if len(entries) > shown else []
    return [f"{title}: {len(entries)}", *(f"  {entry}" for entry in entries[:shown]), *more]
