"""Turn an inspection into plain data: what was found in which pair, what was set aside and why."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd

from dd_livm_core.aligned.store import VISIBLE_ROW
from dd_livm_core.camera_files.metadata import read_metadata
from dd_livm_core.inspection.findings import LEFT_OPEN, ONLY_RANKS, Inspection
from dd_livm_core.missions.pair_files import PairFiles


def inspection_record(
    inspection: Inspection,
    pairs: Sequence[PairFiles],
    set_aside: Sequence[tuple[str, str]],
) -> dict[str, Any]:
    """Return an inspection as plain values, ready for JSON.

    Of its ``counts``, ``pairs`` were inspected; of these ``infrared_alone`` on the infrared image alone, as there is no
    visible one or registration ``failed``. ``unreadable`` pairs were not.

    Parameters
    ----------
    pairs
        The files of the pairs that were inspected.
    set_aside
        (file, reason) of everything that was left out before.
    """
    files = {pair.pair_id: pair for pair in pairs}
    found = Counter(finding.pair_id for finding in inspection.findings)
    records = [
        _pair_record(files[str(row["pair_id"])], row, found[str(row["pair_id"])])
        for row in inspection.store.index.to_dict("records")
    ]
    unreadable = inspection.alignment.unreadable
    aside = [{"file": name, "reason": why} for name, why in set_aside]
    aside += [{"pair_id": pair_id, "reason": why} for pair_id, why in unreadable]
    infrared_alone = sum(record["infrared_alone"] for record in records)
    return {
        "counts": {
            "pairs": len(records),
            "infrared_alone": infrared_alone,
            "failed": sum(record["alignment"] == "failed" for record in records),
            "unreadable": len(unreadable),
            "findings": len(inspection.findings),
        },
        "findings_by_class": dict(Counter(found.defect_class for found in inspection.findings)),
        "remarks": [LEFT_OPEN, ONLY_RANKS] if infrared_alone else [],
        "pairs": records,
        "findings": [asdict(finding) for finding in inspection.findings],
        "set_aside": aside,
    }


def _pair_record(pair: PairFiles, row: Mapping[Any, Any], findings: int) -> dict[str, Any]:
    """Return what is known of one inspected pair: its files, where and when, how it was aligned."""
    metadata = read_metadata(pair.infrared)
    return {
        "pair_id": pair.pair_id,
        "infrared": str(pair.infrared),
        "visible": str(pair.visible) if pair.visible else None,
        "latitude_deg": metadata.latitude_deg,
        "longitude_deg": metadata.longitude_deg,
        "relative_altitude_m": metadata.relative_altitude_m,
        "taken_at": metadata.taken_at.isoformat() if metadata.taken_at else None,
        "radiometric": bool(row["radiometric"]),
        "alignment": str(row["status"]),
        "alignment_confidence": round(float(row["confidence"]), 4),
        "reason": str(row["reason"]),
        "infrared_alone": bool(pd.isna(row[VISIBLE_ROW])),
        "findings": findings,
    }
