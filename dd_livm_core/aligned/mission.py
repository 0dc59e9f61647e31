"""From a mission's files to its aligned store, with flat memory.

1. Every pair is read and registered; only its candidates are kept, and the mission agrees on all positions.
2. Every pair is read again, its visible image brought onto the infrared grid, its temperature turned into excess
   over the healthy panels, and written.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from dd_livm_core.aligned.store import AlignedPair, write_aligned_mission
from dd_livm_core.camera_files.radiometry import read_infrared, read_visible
from dd_livm_core.errors import InputError
from dd_livm_core.labels.label import Label
from dd_livm_core.missions.pair_files import PairFiles
from dd_livm_core.panels.excess import excess_temperature
from dd_livm_core.panels.lattice import panel_lattice
from dd_livm_core.panels.mask import panel_mask_infrared
from dd_livm_core.parallel import map_pairs
from dd_livm_core.records import Progress
from dd_livm_core.registration.alignment import align_pairs, resample_visible
from dd_livm_core.registration.candidates import PairView
from dd_livm_core.registration.placement import Alignment


@dataclass(frozen=True)
class MissionSummary:
    """How a mission's alignment ended: each pair's registration, and pairs that could not be read."""

    alignments: tuple[Alignment, ...]
    unreadable: tuple[tuple[str, str], ...]


def view(pair: PairFiles) -> PairView:
    """Read one pair."""
    thermogram = read_infrared(pair.infrared, declared=pair.infrared_unit)
    return PairView(
        pair.pair_id, thermogram.values, read_visible(pair.visible), thermogram.radiometric
    )


def _aligned(
    pair_and_alignment: tuple[PairFiles, Alignment], site_id: str, mission_id: str
) -> AlignedPair:
    pair, alignment = pair_and_alignment
    seen = view(pair)
    visible = resample_visible(seen.visible, alignment, seen.infrared.shape)
    known = alignment.status in ("aligned", "consensus")
    mask = panel_mask_infrared(seen.infrared, visible if known else None)
    lattice = panel_lattice(seen.infrared, mask)
    return AlignedPair(
        pair_id=pair.pair_id,
        site_id=site_id,
        mission_id=mission_id,
        infrared_excess=excess_temperature(seen.infrared, mask, seen.radiometric),
        panel_mask=mask,
        visible=visible,
        radiometric=seen.radiometric,
        status=alignment.status,
        confidence=alignment.confidence,
        reason=alignment.reason,
        matrix=alignment.matrix,
        radial=alignment.radial,
        pv_module_width_px=lattice.short_px if lattice else None,
        irradiance_w_m2=pair.irradiance_w_m2,
        wind_m_s=pair.wind_m_s,
    )


def align_mission(
    pairs: Sequence[PairFiles],
    destination: Path,
    *,
    site_id: str,
    mission_id: str,
    labels: Mapping[str, Sequence[Label]] | None = None,
    processes: int = 1,
    progress: Progress | None = None,
) -> MissionSummary:
    """Register a mission's pairs and write its aligned store into an empty folder.

    Pairs that failed to align stay out of the store and in the summary; so do unreadable ones.

    Raises
    ------
    InputError
        No pair at all could be read.
    """
    ended, _ = align_pairs(view, pairs, processes=processes, progress=progress)
    both = list(zip(pairs, ended, strict=True))
    readable = [(pair, found) for pair, found in both if isinstance(found, Alignment)]
    unreadable = [(p.pair_id, str(found)) for p, found in both if isinstance(found, InputError)]
    if not readable:
        raise InputError(
            "at least one readable pair",
            "; ".join(f"{pair_id}: {why}" for pair_id, why in unreadable[:3]) or "no pair",
            f"mission {mission_id} of site {site_id}",
            "Check the mission's files.",
        )
    usable = [(pair, alignment) for pair, alignment in readable if alignment.status != "failed"]

    def written() -> Iterator[AlignedPair]:
        function = partial(_aligned, site_id=site_id, mission_id=mission_id)
        for done, aligned in enumerate(map_pairs(function, usable, processes=processes), 1):
            if progress:
                progress(done, len(usable), "resampling")
            yield aligned

    write_aligned_mission(destination, written(), len(usable), labels or {})
    return MissionSummary(tuple(alignment for _, alignment in readable), tuple(unreadable))
