"""Declared sites are kept, declared anew and asked for by their id."""

from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from dd_livm_core.errors import InputError
from dd_livm_core.missions.sites import (
    SITES,
    change_site,
    read_sites,
    require_site,
    write_site,
    write_sites,
)
from dd_livm_core.records import Site


def test_none_is_declared_in_a_new_folder(tmp_path: Path) -> None:
    assert read_sites(tmp_path / "data") == {}


def test_a_site_declared_later_leaves_the_others(tmp_path: Path) -> None:
    first, second = Site(site_id="b", latitude_deg=37.2), Site(site_id="a", city="Springfield")
    write_site(tmp_path / "data", first)
    write_site(tmp_path / "data", second)
    assert read_sites(tmp_path / "data") == {"a": second, "b": first}


def test_a_site_declared_anew_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    write_sites(tmp_path, [Site(site_id="a", radius_m=500), Site(site_id="b")])
    write_site(tmp_path, Site(site_id="a", radius_m=900))
    assert {name: site.radius_m for name, site in read_sites(tmp_path).items()} == {
        "a": 900,
        "b": 3000,
    }


def test_only_what_is_given_of_a_site_changes(tmp_path: Path) -> None:
    first = Site(site_id="a", city="Graz", latitude_deg=47.0, longitude_deg=15.4, radius_m=500)
    write_sites(tmp_path / "data", [first, Site(site_id="b")])
    changed = change_site(tmp_path / "data", "a", {"pv_module_width_m": 1.13})
    assert changed == first.model_copy(update={"pv_module_width_m": 1.13})
    assert read_sites(tmp_path / "data") == {"a": changed, "b": Site(site_id="b")}


def test_a_change_out_of_bounds_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    write_site(tmp_path / "data", Site(site_id="a", radius_m=500))
    before = (tmp_path / "data" / SITES).read_bytes()
    with pytest.raises(InputError, match="radius_m"):
        change_site(tmp_path / "data", "a", {"radius_m": -1})
    with pytest.raises(InputError, match="radius_m"):
        change_site(tmp_path / "data", "a", {"radius_m": float("inf")})
    assert (tmp_path / "data" / SITES).read_bytes() == before


def test_ids_of_sites_differ_by_more_than_capitals(tmp_path: Path) -> None:
    write_site(tmp_path / "data", Site(site_id="alpha"))
    with pytest.raises(InputError, match=r"site alpha.*capitals"):
        change_site(tmp_path / "data", "Alpha", {})
    assert read_sites(tmp_path / "data").keys() == {"alpha"}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_the_file_may_have_been_saved_by_another_editor(tmp_path: Path, encoding: str) -> None:
    write_site(tmp_path, Site(site_id="a", city="K\u00f6ln"))
    text = (tmp_path / SITES).read_text(encoding="utf-8")
    (tmp_path / SITES).write_text(text, encoding=encoding)
    assert read_sites(tmp_path)["a"].city == "K\u00f6ln"


def declare_ten(data_root: Path, first: str) -> None:
    for number in range(10):
        change_site(data_root, f"{first}{number}", {"city": "Graz"})


def test_sites_declared_by_processes_at_once_are_all_kept(tmp_path: Path) -> None:
    with ProcessPoolExecutor(3) as pool:
        list(pool.map(declare_ten, [tmp_path / "data"] * 3, "abc"))
    assert len(read_sites(tmp_path / "data")) == 30


def test_the_file_is_the_same_whatever_the_order_of_declaring(tmp_path: Path) -> None:
    sites = [Site(site_id=name) for name in "abc"]
    write_sites(tmp_path / "one", sites)
    write_sites(tmp_path / "other", reversed(sites))
    assert (tmp_path / "one" / SITES).read_bytes() == (tmp_path / "other" / SITES).read_bytes()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        '{"sites": 3}',
        '{"stations": []}',
        '{"sites": [{"site_id": "../up"}]}',
        '{"sites": [{"site_id": "s", "colour": "red"}]}',
    ],
)
def test_a_broken_file_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / SITES).write_text(content)
    with pytest.raises(InputError):
        read_sites(tmp_path)


def test_an_undeclared_site_is_refused_with_those_that_are_declared(tmp_path: Path) -> None:
    write_site(tmp_path, Site(site_id="springfield"))
    assert require_site(tmp_path, "springfield").site_id == "springfield"
    with pytest.raises(InputError, match=r"springfield.*dd-livm sites add shelbyville"):
        require_site(tmp_path, "shelbyville")
