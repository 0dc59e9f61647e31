"""Reads and writes the declared sites, ``data/sites.json``."""

import json
from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationError

from dd_livm_core.errors import InputError
from dd_livm_core.files import write_json
from dd_livm_core.records import Site

SITES = "sites.json"


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
        sites = [
            Site.model_validate(site)
            for site in json.loads(path.read_text(encoding="utf-8-sig"))["sites"]
        ]
    except (OSError, ValueError, KeyError, TypeError, ValidationError) as error:
        raise InputError(
            '{"sites": [...]} with known keys', str(error), path, "Mend or remove it."
        ) from error
    return {site.site_id: site for site in sites}


def write_site(data_root: Path, site: Site) -> None:
    """Declare a site; one of the same id is replaced."""
    write_sites(data_root, [site])


def write_sites(data_root: Path, declared: Iterable[Site]) -> None:
    """Declare sites; those of the same ids are replaced, all others stay."""
    sites = read_sites(data_root) | {site.site_id: site for site in declared}
    data_root.mkdir(parents=True, exist_ok=True)
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
