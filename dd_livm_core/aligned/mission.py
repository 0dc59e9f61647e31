"""From a mission's files to its aligned store; memory does not grow with the number of pairs.

1. Every pair is read and registered; only its candidates are kept until the mission's offsets choose among them.
   Infrared images alone are only checked.
2. Every pair is read again, its visible image resampled to the infrared grid, its temperature turned into excess
   over the healthy panels, and written. Where registration failed, the infrared half is written alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from dd_livm_core.aligned.store import INFRARED_ONLY, AlignedPair, write_aligned_mission
from dd_livm_core.camera_files.dji import FILES_PER_CALL, keep_dji_temperatures
from dd_livm_core.camera_files.picture_values import require_no_photograph
from dd_livm_core.camera_files.radiometry import (
    read_infrared,
    read_visible,
)
from dd_livm_core.camera_files.thermogram import Thermogram
from dd_livm_core.errors import InputError
from dd_livm_core.labels.label import Label
from dd_livm_core.missions.pair_files import PairFiles, concerns_visible
from dd_livm_core.panels.excess import excess_temperature
from dd_livm_core.panels.lattice import pv_module_short_px
from dd_livm_core.panels.mask import panel_mask_infrared
from dd_livm_core.parallel import map_pairs, worthwhile_processes
from dd_livm_core.records import Progress
from dd_livm_core.registration.alignment import align_pairs, resample_visible
from dd_livm_core.registration.candidates import PairView
from dd_livm_core.registration.earlier_mission import EarlierMission
from dd_livm_core.registration.placement import Alignment
from dd_livm_core.registration.rig import RigGeometry

NO_VISIBLE = "there is no visible image"
"""Reason of a pair that is an infrared image alone."""


@dataclass(frozen=True)
class MissionSummary:
    """The result of aligning a mission.

    Attributes
    ----------
    alignments
        Of every pair of two images that could be read, those that failed included.
    unreadable
        (pair id, reason) of every pair that could not be read.
    rig
        Scale, rotation and lens term, which all pairs share; None where no pair has two images.
    infrared_only
        (pair id, reason) of the pairs without a visible file, or with one that cannot be read.
    """

    alignments: tuple[Alignment, ...]
    unreadable: tuple[tuple[str, str], ...]
    rig: RigGeometry | None
    infrared_only: tuple[tuple[str, str], ...] = ()

    def counts(self) -> dict[str, int]:
        """Return the number of pairs of each status that occurs, ``infrared_only`` and ``unreadable`` last."""
        statuses: list[str] = [alignment.status for alignment in self.alignments]
        counts = {status: statuses.count(status) for status in sorted(set(statuses))}
        last = {INFRARED_ONLY: len(self.infrared_only), "unreadable": len(self.unreadable)}
        return counts | {status: count for status, count in last.items() if count}

    def describe_unreadable(self) -> str:
        """Return in words of which pairs a file could not be read, the first three by name; empty where all could."""
        halves = [(pair_id, why) for pair_id, why in self.infrared_only if why != NO_VISIBLE]
        unread = [*self.unreadable, *halves]
        named = [f"{pair_id}: {why}" for pair_id, why in unread[:3]]
        more = len(unread) - len(named)
        return "; ".join([*named, *([f"and {more} more"] if more else [])])

    def as_json(self) -> dict[str, object]:
        """Return the summary as values that JSON can hold.

        Its keys are ``counts``, ``rig``, ``pairs``, ``infrared_only`` and ``unreadable``.
        """
        return {
            "counts": self.counts(),
            "rig": _rig_as_json(self.rig) if self.rig else None,
            "pairs": [_alignment_as_json(alignment) for alignment in self.alignments],
            **{
                name: [{"pair_id": pair_id, "reason": why} for pair_id, why in pairs]
                for name, pairs in (
                    (INFRARED_ONLY, self.infrared_only),
                    ("unreadable", self.unreadable),
                )
            },
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
    """Read the two images of a pair that has both.

    Raises
    ------
    InputError
        One of them cannot be read, or there is no visible one.
    """
    if pair.visible is None:
        raise InputError("a pair of two images", "infrared alone", pair.infrared, "Register pairs.")
    thermogram = _read_thermogram(pair)
    return PairView(
        pair.pair_id, thermogram.values, read_visible(pair.visible), thermogram.radiometric
    )


def _read_thermogram(pair: PairFiles) -> Thermogram:
    """Read a pair's infrared image; one without a visible one is refused where it is a photograph."""
    thermogram = read_infrared(
        pair.infrared, declared=pair.infrared_unit, parameters=pair.measurement_parameters
    )
    if pair.visible is None:
        require_no_photograph(thermogram, pair.infrared)
    return thermogram


def _check_infrared(pair: PairFiles) -> InputError | None:
    """Return why an infrared image alone cannot be used, or None."""
    try:
        _read_thermogram(pair)
    except InputError as error:
        return error
    return None


def _resample_pair(
    pair_and_alignment: tuple[PairFiles, Alignment | str],
    site_id: str,
    mission_id: str,
    pv_module_m: tuple[float, float] | None,
) -> AlignedPair:
    """Read a pair once more and return it on the infrared grid, with its panels and excess temperature.

    A pair that failed is without visible image, and so is one that has the reason for having none instead of an
    alignment.
    """
    pair, found = pair_and_alignment
    alignment = found if isinstance(found, Alignment) else None
    thermogram = _read_thermogram(pair)
    infrared = thermogram.values
    visible = None
    if pair.visible is not None and alignment is not None and alignment.status != "failed":
        visible = resample_visible(read_visible(pair.visible), alignment, infrared.shape)
    known = alignment is not None and alignment.status in ("aligned", "consensus")
    mask = panel_mask_infrared(infrared, visible if known else None)
    return AlignedPair(
        pair_id=pair.pair_id,
        site_id=site_id,
        mission_id=mission_id,
        infrared_excess=excess_temperature(infrared, mask, thermogram.radiometric),
        panel_mask=mask,
        visible=visible,
        radiometric=thermogram.radiometric,
        status=alignment.status if alignment else INFRARED_ONLY,
        confidence=alignment.confidence if alignment else 0.0,
        reason=found.reason if isinstance(found, Alignment) else found,
        matrix=alignment.matrix if alignment and visible is not None else None,
        radial=alignment.radial if alignment else 0.0,
        pv_module_width_px=pv_module_short_px(infrared, mask),
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

    Pairs whose infrared file could not be read are in the summary but not in the store; those that failed to align, or
    have no visible file that can be read, are in the store without a visible image.

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
        No infrared file at all could be read.
    """
    _keep_temperatures(pairs, processes)
    processes = worthwhile_processes(len(pairs), processes)
    both, rig = _register(pairs, earlier, processes, progress)
    usable = [(pair, found) for pair, found in both if not isinstance(found, InputError)]
    unreadable = [(p.pair_id, str(found)) for p, found in both if isinstance(found, InputError)]
    if not usable:
        raise InputError(
            "at least one readable infrared image",
            "; ".join(f"{pair_id}: {why}" for pair_id, why in unreadable[:3]) or "no pair",
            f"mission {mission_id} of site {site_id}",
            "Check the mission's files.",
        )

    def resample_all() -> Iterator[AlignedPair]:
        function = partial(
            _resample_pair, site_id=site_id, mission_id=mission_id, pv_module_m=pv_module_m
        )
        for done, aligned in enumerate(map_pairs(function, usable, processes=processes), 1):
            if progress:
                progress(done, len(usable), "resampling")
            yield aligned

    alignments = tuple(found for _, found in usable if isinstance(found, Alignment))
    write_aligned_mission(
        destination,
        resample_all(),
        len(usable),
        labels or {},
        with_visible=sum(alignment.status != "failed" for alignment in alignments),
    )
    alone = tuple((pair.pair_id, found) for pair, found in usable if isinstance(found, str))
    return MissionSummary(alignments, tuple(unreadable), rig, alone)


def _register(
    pairs: Sequence[PairFiles],
    earlier: EarlierMission | None,
    processes: int,
    progress: Progress | None,
) -> tuple[list[tuple[PairFiles, Alignment | str | InputError]], RigGeometry | None]:
    """Return each pair with its alignment, or why it is infrared alone, or why not even that; and the rig."""
    found: dict[str, Alignment | str | InputError] = {p.pair_id: NO_VISIBLE for p in pairs}
    complete = [pair for pair in pairs if pair.visible is not None]
    rig = None
    if complete:
        results, rig = align_pairs(
            read_pair, complete, earlier=earlier, processes=processes, progress=progress
        )
        for pair, result in zip(complete, results, strict=True):
            half = isinstance(result, InputError) and concerns_visible(result, pair)
            found[pair.pair_id] = str(result) if half else result
    alone = [replace(pair, visible=None) for pair in pairs if isinstance(found[pair.pair_id], str)]
    checked = map_pairs(_check_infrared, alone, processes=processes)
    for done, (pair, error) in enumerate(zip(alone, checked, strict=True), 1):
        found[pair.pair_id] = error or found[pair.pair_id]
        if progress:
            progress(len(pairs) - len(alone) + done, len(pairs), "checking infrared images alone")
    return [(pair, found[pair.pair_id]) for pair in pairs], rig
