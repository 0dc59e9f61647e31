"""Names the files of a mission's folder ``data/<site_id>/<mission_id>``, and reads its records and pairs."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from dd_livm_core.errors import InputError
from dd_livm_core.files import read_text
from dd_livm_core.missions.pair_files import PairFiles

MISSION, LABELS = "mission.json", "labels.json"
QUARANTINE, LABEL_CONFLICTS = "quarantine.json", "label_conflicts.json"
LABELS_SET_ASIDE = "labels_set_aside.json"

R = TypeVar("R", bound=BaseModel)


def read_record(path: Path, kind: type[R]) -> R:
    """Return the record that a JSON file holds.

    Raises
    ------
    InputError
        The file is missing or broken, or holds unknown keys.
    """
    try:
        return kind.model_validate_json(read_text(path))
    except (OSError, ValueError, ValidationError) as error:
        raise InputError(
            f"a {kind.__name__} record", str(error), path, "Mend it, or ingest the mission anew."
        ) from error


def validate_record(kind: type[R], fields: Mapping[str, object], where: str | Path) -> R:
    """Return a record made of a user's values.

    Parameters
    ----------
    where
        Where the values come from, for the error.

    Raises
    ------
    InputError
        A value is out of its bounds, or its field is unknown; all of them are named.
    """
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, issue['loc']))}: {issue['msg']} (found {issue['input']!r})"
            for issue in error.errors()
        )
        raise InputError(
            f"a {kind.__name__} record within its bounds", wrong, where, "Mend that value."
        ) from error


def image_pairs(mission_dir: Path) -> list[PairFiles]:
    """Return the files of every pair in a mission's folder, sorted by the infrared file's name.

    A pair is two files whose names differ in their endings only, or an infrared file alone. Hidden files, as
    half-written ones are, do not count, nor does a visible file alone.
    """
    infrared, visible = (files_by_pair(mission_dir / side) for side in ("infrared", "visible"))
    return [
        PairFiles(pair_id, path, visible.get(pair_id), "name" if pair_id in visible else None)
        for pair_id, path in sorted(infrared.items(), key=lambda item: item[1])
    ]


def files_by_pair(folder: Path) -> dict[str, Path]:
    """Return the images of one side of a mission by pair id; none where there is no such folder."""
    if not folder.is_dir():
        return {}
    return {path.stem: path for path in sorted(folder.iterdir()) if path.name[0] != "."}
