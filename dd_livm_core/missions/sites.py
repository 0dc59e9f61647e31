"""Reads and writes the declared sites, ``data/sites.json``."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import ValidationError

from dd_livm_core.errors import InputError
from dd_livm_core.files import read_text, write_json
from dd_livm_core.missions.folder import MISSION, read_record, validate_record
from dd_livm_core.records import Mission, Site

SITES = "sites.json"
LOCK_WAIT_S = 30.0
"""Others hold the lock for milliseconds: after so long, one of them hangs."""


def read_sites(data_root: Path) -> dict[str, Site]:
    """Return the declared sites by id; an empty dict where nothing was declared yet.

    Raises
    ------
    InputError
        The file is broken or holds unknown keys.
    """
    path = data_root / SITES
    if not path.exists():
        return {}
    try:
        sites = [Site.model_validate(site) for site in json.loads(read_text(path))["sites"]]
    except (OSError, ValueError, KeyError, TypeError, ValidationError) as error:
        raise InputError(
            '{"sites": [...]} with known keys', str(error), path, "Mend or remove it."
        ) from error
    return {site.site_id: site for site in sites}


def require_simulated_sites(data_root: Path, names: Iterable[str]) -> None:
    """Raise an InputError where a station of one of some names is declared as real, or holds a real mission."""
    declared = read_sites(data_root)
    for name in names:
        missions = sorted((data_root / name).glob(f"*/{MISSION}"))
        real = [path for path in missions if not read_record(path, Mission).simulated]
        if real or (name in declared and not declared[name].simulated):
            raise InputError(
                "names of simulated stations",
                f"{name}, which is a real one",
                real[0] if real else data_root,
                "Render into another workspace, or give the profile another site_id.",
            )


def write_site(data_root: Path, site: Site) -> None:
    """Declare a site; one of the same id is replaced."""
    write_sites(data_root, [site])


def write_sites(data_root: Path, declared: Iterable[Site]) -> None:
    """Declare sites; those of the same ids are replaced, all others stay, also of other processes."""
    with _lock(data_root):
        _add(data_root, declared)


def change_site(data_root: Path, site_id: str, given: Mapping[str, object]) -> Site:
    """Declare a site, or change what is given of a declared one; return it as it is declared now.

    Parameters
    ----------
    given
        Field → value; a field that is not in it keeps what was declared.

    Raises
    ------
    InputError
        A value is out of its bounds, or another site's id differs by capitals only; nothing is written then.
    """
    declared = _find_site(data_root, site_id)
    validate_record(Site, _changed(declared, site_id, given), site_id)  # before a folder is made
    with _lock(data_root):
        declared = _find_site(data_root, site_id)
        site = validate_record(Site, _changed(declared, site_id, given), site_id)
        _add(data_root, [site])
    return site


def _find_site(data_root: Path, site_id: str) -> Site | None:
    """Return the declared site of an id, or None; refuse an id that differs from another by capitals only."""
    sites = read_sites(data_root)
    like = next((known for known in sites if known.casefold() == site_id.casefold()), site_id)
    if site_id not in sites and like in sites:
        raise InputError(
            f"site {like}, or an id that differs by more than capitals",
            site_id,
            data_root / SITES,
            "Some disks do not tell such names apart.",
        )
    return sites.get(site_id)


def _changed(declared: Site | None, site_id: str, given: Mapping[str, object]) -> dict[str, object]:
    """Return the fields of a site, declared or new, with those that are given."""
    return {**(declared.model_dump() if declared else {}), "site_id": site_id, **given}


@contextmanager
def _lock(data_root: Path) -> Iterator[None]:
    """Hold the lock of the declared sites, a hidden file beside ``data_root``, while the block runs."""
    data_root.mkdir(parents=True, exist_ok=True)
    lock = FileLock(data_root.with_name(f".{data_root.name}.sites.lock"))
    try:
        lock.acquire(timeout=LOCK_WAIT_S)
    except Timeout:
        raise InputError(
            "to be alone at declaring sites",
            f"another process at it for over {LOCK_WAIT_S:.0f} s",
            lock.lock_file,
            "End it, then run the same command again.",
        ) from None
    try:
        yield
    finally:
        lock.release()


def _add(data_root: Path, declared: Iterable[Site]) -> None:
    """Write the declared sites with these among them; the caller holds the lock."""
    sites = read_sites(data_root) | {site.site_id: site for site in declared}
    content = {"sites": [sites[name].model_dump(mode="json") for name in sorted(sites)]}
    write_json(data_root / SITES, content)


def require_site(data_root: Path, site_id: str) -> Site:
    """Return the declared site of an id.

    Raises
    ------
    InputError
        It is not declared.
    """
    sites = read_sites(data_root)
    if site_id not in sites:
        raise InputError(
            f"a declared site ({', '.join(sorted(sites)) or 'none yet'})",
            repr(site_id),
            data_root / SITES,
            f"Declare it first: dd-livm sites add {site_id} --latitude ... --longitude ... --pv-module-width-m ...",
        )
    return sites[site_id]
