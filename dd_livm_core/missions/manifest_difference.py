"""Compares two snapshots of ``data/``: pairs, labels, missions, sites."""

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
    """What differs between two snapshots; a changed value is (before, after).

    Attributes
    ----------
    added, removed, images_changed, labels_changed
        Keys of pairs: (site_id, mission_id, pair_id).
    missions_changed
        (site_id, mission_id, recorded condition) → its change, for missions that both snapshots hold.
    sites_changed
        (site_id, field of its record) → its change, for sites that both snapshots declare.
    label_counts
        Class → change of its number of labels over all pairs, for classes that changed.
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
        """Return whether nothing differs."""
        return not any(vars(self).values())


def compare_manifests(
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
        images_changed=_keys(both[_find_changed_rows(old.loc[both], new.loc[both], IMAGE_COLUMNS)]),
        labels_changed=_keys(both[_find_changed_rows(old.loc[both], new.loc[both], LABEL_COLUMNS)]),
        missions_changed=_mission_changes(before, after),
        sites_added=tuple(sorted(sites_after.keys() - sites_before.keys())),
        sites_removed=tuple(sorted(sites_before.keys() - sites_after.keys())),
        sites_changed=_site_changes(sites_before, sites_after),
        label_counts={name: pair for name, pair in counts.items() if pair[0] != pair[1]},
    )


def _mission_changes(
    before: pd.DataFrame, after: pd.DataFrame
) -> dict[tuple[str, str, str], Change]:
    """Return the changes of recorded conditions, for missions in both; a mission's pairs all hold the same."""
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
        for key in both[_find_changed_rows(old.loc[both], new.loc[both], [name])]:
            values = [None if pd.isna(v) else v for v in (old.loc[key, name], new.loc[key, name])]
            changes[str(key[0]), str(key[1]), name] = (values[0], values[1])
    return changes


def _site_changes(
    before: Mapping[str, Site], after: Mapping[str, Site]
) -> dict[tuple[str, str], Change]:
    """Return the changed fields of the sites that both snapshots declare."""
    return {
        (site_id, name): (value, getattr(after[site_id], name))
        for site_id in sorted(before.keys() & after.keys())
        for name, value in before[site_id]
        if value != getattr(after[site_id], name)
    }


def _find_changed_rows(
    old: pd.DataFrame, new: pd.DataFrame, columns: list[str]
) -> NDArray[np.bool_]:
    """Return bool (rows,): where any of the columns differ; a missing value equals a missing value."""
    unknown = old[columns].isna() & new[columns].isna()
    differs = old[columns].astype(str) != new[columns].astype(str)
    return np.asarray((differs & ~unknown).any(axis=1), bool)


def _keys(index: Any) -> tuple[PairKey, ...]:
    """Return the entries of a pandas index of three levels."""
    return tuple((str(a), str(b), str(c)) for a, b, c in index)


def describe(difference: ManifestDifference, shown: int = 10) -> list[str]:
    """Return a difference as lines of text for a person, with at most ``shown`` entries of each kind."""
    if difference.same:
        return ["pairs, labels, missions and sites are the same"]
    lines = [
        *_list_entries("sites added", [*difference.sites_added], shown),
        *_list_entries("sites removed", [*difference.sites_removed], shown),
        *_list_entries("sites changed", _change_lines(difference.sites_changed.items()), shown),
        *_list_entries(
            "missions changed", _change_lines(difference.missions_changed.items()), shown
        ),
    ]
    for title, keys in (
        ("pairs added", difference.added),
        ("pairs removed", difference.removed),
        ("pairs with other images", difference.images_changed),
        ("pairs with other labels", difference.labels_changed),
    ):
        lines += _list_entries(title, ["/".join(key) for key in keys], shown)
    counts = [f"{name}: {old} -> {new}" for name, (old, new) in difference.label_counts.items()]
    return lines + _list_entries("label counts", counts, len(counts))


def _change_lines(changes: Iterable[tuple[tuple[str, ...], Change]]) -> list[str]:
    return [
        f"{'/'.join(key[:-1])} {key[-1]}: {_value_text(old)} -> {_value_text(new)}"
        for key, (old, new) in changes
    ]


def _value_text(value: object) -> str:
    return "not recorded" if value is None else str(value)


def _list_entries(title: str, entries: Sequence[str], shown: int) -> list[str]:
    """Return a heading with the count and the first entries; nothing where there are none."""
    if not entries:
        return []
    more = [f"  ... and {len(entries) - shown} more"] if len(entries) > shown else []
    return [f"{title}: {len(entries)}", *(f"  {entry}" for entry in entries[:shown]), *more]
