"""From a mission's files to its aligned store; memory does not grow with the number of pairs.

1. Every pair is read and registered; only its candidates are kept until the mission's offsets choose among them.
2. Every pair is read again, its visible image resampled to the infrared grid, its temperature turned into excess
   over the healthy panels, and written.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from dd_livm_core.aligned.store import AlignedPair, write_aligned_mission
from dd_livm_core.camera_files.dji import FILES_PER_CALL, keep_dji_temperatures
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
from dd_livm_core.registration.earlier_mission import EarlierMission
from dd_livm_core.registration.placement import Alignment
from dd_livm_core.registration.rig import RigGeometry


@dataclass(frozen=True)
class MissionSummary:
    """The result of aligning a mission.

    Attributes
    ----------
    alignments
        Of every pair that could be read, those that failed included.
    unreadable
        (pair id, reason) of every other pair.
    rig
        Scale, rotation and lens term, which all pairs share.
    """

    alignments: tuple[Alignment, ...]
    unreadable: tuple[tuple[str, str], ...]
    rig: RigGeometry

    def counts(self) -> dict[str, int]:
        """Return the number of pairs of each status that occurs, ``unreadable`` last."""
        statuses: list[str] = [alignment.status for alignment in self.alignments]
        counts = {status: statuses.count(status) for status in sorted(set(statuses))}
        return {**counts, **({"unreadable": len(self.unreadable)} if self.unreadable else {})}

    def describe_unreadable(self) -> str:
        """Return in words which pairs could not be read, the first three by name; empty where all could."""
        named = [f"{pair_id}: {why}" for pair_id, why in self.unreadable[:3]]
        more = len(self.unreadable) - len(named)
        return "; ".join([*named, *([f"and {more} more"] if more else [])])

    def as_json(self) -> dict[str, object]:
        """Return the summary as values that JSON can hold: ``counts``, ``rig``, ``pairs`` and ``unreadable``."""
        return {
            "counts": self.counts(),
            "rig": _rig_as_json(self.rig),
            "pairs": [_alignment_as_json(alignment) for alignment in self.alignments],
            "unreadable": [{"pair_id": pair_id, "reason": why} for pair_id, why in self.unreadable],
        }


def _rig_as_json(rig: RigGeometry | Alignment) -> dict[str, float]:
    """Return scale, rotation and lens term, rounded to what moves no pixel by 0.01 px."""
    return {
        "scale": round(float(rig.scale), 6),
        "rotation_deg": round(float(rig.rotation_deg), 5),
        "radial": round(float(rig.radial), 6),
    }


def _alignment_as_json(alignment: Alignment) -> dict[str, object]:
    return {
        "pair_id": alignment.pair_id,
        "status": alignment.status,
        "reason": alignment.reason,
        "confidence": round(float(alignment.confidence), 4),
        **_rig_as_json(alignment),
        "offset_px": [round(float(value), 3) for value in alignment.offset_px],
    }


def read_pair(pair: PairFiles) -> PairView:
    """Read a pair's two images.

    Raises
    ------
    InputError
        One of them cannot be read.
    """
    thermogram = read_infrared(
        pair.infrared, declared=pair.infrared_unit, parameters=pair.measurement_parameters
    )
    return PairView(
        pair.pair_id, thermogram.values, read_visible(pair.visible), thermogram.radiometric
    )


def _resample_pair(
    pair_and_alignment: tuple[PairFiles, Alignment],
    site_id: str,
    mission_id: str,
    pv_module_m: tuple[float, float] | None,
) -> AlignedPair:
    """Read a pair once more and return it on the infrared grid, with its panels and excess temperature."""
    pair, alignment = pair_and_alignment
    seen = read_pair(pair)
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
        pv_module_m=pv_module_m,
        irradiance_w_m2=pair.irradiance_w_m2,
        wind_m_s=pair.wind_m_s,
    )


def _keep_temperatures(pairs: Sequence[PairFiles], processes: int) -> None:
    """Have DJI's files read `FILES_PER_CALL` at a time, by as many programs at once as there are processes."""
    batches = [pairs[at : at + FILES_PER_CALL] for at in range(0, len(pairs), FILES_PER_CALL)]
    with ThreadPoolExecutor(processes) as pool:
        for batch in batches:
            paths = [pair.infrared for pair in batch]
            pool.submit(keep_dji_temperatures, paths, batch[0].measurement_parameters)


def align_mission(
    pairs: Sequence[PairFiles],
    destination: Path,
    *,
    site_id: str,
    mission_id: str,
    pv_module_m: tuple[float, float] | None = None,
    labels: Mapping[str, Sequence[Label]] | None = None,
    earlier: EarlierMission | None = None,
    processes: int = 1,
    progress: Progress | None = None,
) -> MissionSummary:
    """Register a mission's pairs and write its aligned store into an empty folder.

    Pairs that failed to align, or could not be read, are in the summary but not in the store.

    Parameters
    ----------
    labels
        Pair id → labels in infrared pixels, of the pairs that are labelled.
    pv_module_m
        Short and long side of a PV module as declared for the site, metres; None for an undeclared site.
    earlier
        A mission of the same drone and cameras: it narrows where the rig and the offsets lie.

    Raises
    ------
    InputError
        No pair at all could be read.
    """
    _keep_temperatures(pairs, processes)
    results, rig = align_pairs(
        read_pair, pairs, earlier=earlier, processes=processes, progress=progress
    )
    both = list(zip(pairs, results, strict=True))
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

    def resample_all() -> Iterator[AlignedPair]:
        function = partial(
            _resample_pair, site_id=site_id, mission_id=mission_id, pv_module_m=pv_module_m
        )
        for done, aligned in enumerate(map_pairs(function, usable, processes=processes), 1):
            if progress:
                progress(done, len(usable), "resampling")
            yield aligned

    write_aligned_mission(destination, resample_all(), len(usable), labels or {})
    alignments = tuple(alignment for _, alignment in readable)
    return MissionSummary(alignments, tuple(unreadable), rig)
