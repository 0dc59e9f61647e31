"""Holds the one error for input that breaks a contract: what was expected, what was found, where, what to do."""

from pathlib import Path


class InputError(ValueError):
    """Input that DD-LIVM cannot use.

    Parameters
    ----------
    expected, found
        What the contract asks for, and what was there instead.
    where
        File, folder or configuration key.
    todo
        What the user can do about it.
    """

    def __init__(self, expected: str, found: str, where: str | Path, todo: str) -> None:
        self.expected, self.found, self.where, self.todo = expected, found, str(where), todo
        super().__init__(f"{where}: expected {expected}; found {found}. {todo}")

    def __reduce__(self) -> tuple[type["InputError"], tuple[str, str, str, str]]:
        return type(self), (self.expected, self.found, self.where, self.todo)
