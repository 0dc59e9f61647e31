"""Reads station profiles, one TOML file each, and the bundled ones."""

import tomllib
from pathlib import Path

from pydantic import ValidationError

from dd_livm_core.errors import InputError
from dd_livm_core.files import read_text
from dd_livm_core.fleet.profile import Profile

_MAX_BYTES = 100_000
"""The largest bundled profile has about 2 kB: a file of this size is no profile."""
_BUNDLED = Path(__file__).parent / "profiles"


def load_profile(path: Path) -> Profile:
    """Read the profile of one station from its TOML file.

    Raises
    ------
    InputError
        Unreadable file, unknown key, a value out of range, or a station that cannot be (`plausibility`);
        names file and key.
    """
    todo = "Correct the profile; docs/fleet.md lists every key."
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise OSError(f"more than {_MAX_BYTES} bytes")
        content = tomllib.loads(read_text(path))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError("a readable TOML profile", str(error), path, todo) from error
    try:
        return Profile.model_validate(content)
    except ValidationError as error:
        key, problem = _first_problem(error)
        found = repr(_value_at(content, key))[:80]
        raise InputError(f"key {key}: {problem}", found, f"{path} ({key})", todo) from error


def bundled_profiles() -> list[Profile]:
    """Return the nine stations that come with the package, sorted by file name."""
    return [load_profile(path) for path in sorted(_BUNDLED.glob("*.toml"))]


def _first_problem(error: ValidationError) -> tuple[str, str]:
    """Return the dotted key of the first refused value, and what is wrong with it."""
    first = error.errors()[0]
    # A range is written as a list: the ends have no key of their own in the file.
    key = ".".join(str(part) for part in first["loc"] if part not in {"low", "high"})
    problem = first["msg"].removeprefix("Value error, ")
    if not key:
        # The check of the whole profile names its key in the message.
        key, _, problem = problem.partition(": ")
    return key, problem


def _value_at(content: object, key: str) -> object:
    """Return the file's value at a dotted key; None where it has none."""
    for part in key.split("."):
        if isinstance(content, dict):
            content = content.get(part)
        elif isinstance(content, list) and part.isdigit() and int(part) < len(content):
            content = content[int(part)]
        else:
            return content
    return content
