"""A report never takes the place of another flight's."""

import json
from pathlib import Path

import pytest

from dd_livm_core.errors import InputError
from tasks.report_folder import place_report


def report(folder: Path, images: list[str] | None, source: str = "/card", page: str = "") -> Path:
    folder.mkdir(parents=True)
    content = {"source": source} | ({} if images is None else {"images": images})
    (folder / "findings.json").write_text(json.dumps(content))
    (folder / "index.html").write_text(page)
    return folder


def page(folder: Path) -> str:
    return (folder / "index.html").read_text()


@pytest.fixture
def wanted(tmp_path: Path) -> Path:
    return tmp_path / "reports" / "100MEDIA"


def test_two_flights_in_folders_of_one_name_have_two_reports(tmp_path: Path, wanted: Path) -> None:
    first, second = (report(tmp_path / name, [name], page=name) for name in "ab")
    assert place_report(first, wanted, named_by_user=False).folder == wanted
    placed = place_report(second, wanted, named_by_user=False)
    assert (placed.folder, placed.replaced) == (wanted.with_name("100MEDIA-2"), False)
    assert (page(wanted), page(placed.folder)) == ("a", "b")


def test_a_flight_inspected_again_takes_its_own_place_and_says_so(
    tmp_path: Path, wanted: Path
) -> None:
    for name, images in (("other", ["z"]), ("first", ["a", "b"]), ("again", ["b", "c"])):
        placed = place_report(
            report(tmp_path / name, images, page=name), wanted, named_by_user=False
        )
    assert (placed.folder, placed.replaced) == (wanted.with_name("100MEDIA-2"), True)
    assert (page(wanted), page(placed.folder)) == ("other", "again")
    assert sorted(path.name for path in wanted.parent.iterdir()) == ["100MEDIA", "100MEDIA-2"]


def test_a_folder_of_the_users_choice_with_another_flights_report_is_refused(
    tmp_path: Path, wanted: Path
) -> None:
    report(wanted, ["a"], page="kept")
    with pytest.raises(InputError, match="--output"):
        place_report(report(tmp_path / "b", ["b"]), wanted, named_by_user=True)
    assert page(wanted) == "kept"
    assert place_report(report(tmp_path / "a", ["a"]), wanted, named_by_user=True).replaced


@pytest.mark.parametrize(("source", "replaced"), [("/card", True), ("/elsewhere", False)])
def test_reports_of_older_versions_are_known_by_their_folder(
    tmp_path: Path, wanted: Path, source: str, replaced: bool
) -> None:
    report(wanted, None, source=source)
    placed = place_report(report(tmp_path / "b", ["b"]), wanted, named_by_user=False)
    assert placed.replaced is replaced


def test_a_broken_report_and_other_files_are_kept(tmp_path: Path, wanted: Path) -> None:
    report(wanted, []).joinpath("findings.json").write_text("{")
    stored = report(tmp_path / "b", ["b"])
    assert place_report(stored, wanted, named_by_user=False).folder.name == "100MEDIA-2"
    (tmp_path / "notes").write_text("mine")
    for other in (tmp_path / "notes", tmp_path):
        with pytest.raises(InputError, match="--output"):
            place_report(stored, other, named_by_user=True)
    assert (tmp_path / "notes").read_text() == "mine"
