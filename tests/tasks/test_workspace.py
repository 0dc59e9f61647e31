"""The workspace's locks are held while the block runs, and free after it."""

import os
from pathlib import Path

import pytest

from dd_livm_core.errors import InputError
from tasks.workspace import Workspace, require_text


def test_a_held_lock_is_refused_with_its_purpose(tmp_path: Path) -> None:
    workspace = Workspace.at(tmp_path)
    with (
        workspace.lock("one", wait_s=1, purpose="baking"),
        pytest.raises(InputError, match="alone at baking"),
        workspace.lock("one", wait_s=0.05, purpose="baking"),
    ):
        pass


def test_a_lock_is_free_after_its_block_while_somebody_still_holds_the_object(
    tmp_path: Path,
) -> None:
    workspace = Workspace.at(tmp_path)
    held = workspace.lock("one", wait_s=1, purpose="baking")
    with held:
        pass
    with workspace.lock("one", wait_s=0.05, purpose="baking"):
        pass


def test_a_lock_is_free_after_an_error(tmp_path: Path) -> None:
    workspace = Workspace.at(tmp_path)
    with pytest.raises(RuntimeError, match="burnt"), workspace.lock("one", wait_s=1, purpose="x"):
        raise RuntimeError("burnt")
    with workspace.lock("one", wait_s=0.05, purpose="x"):
        pass


def test_a_path_that_the_database_s_address_would_cut_is_refused(tmp_path: Path) -> None:
    (tmp_path / "plant?").mkdir()
    with pytest.raises(InputError, match=r"without \?"):
        Workspace.at(tmp_path / "plant?")


@pytest.mark.skipif(os.name != "posix", reason="needs names of any bytes")
def test_a_path_that_is_no_text_is_refused(tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/pl\xffant"))
    folder.mkdir()
    with pytest.raises(InputError, match=r"pl\\xffant.*UTF-8"):
        Workspace.at(folder)
    require_text(tmp_path)
