"""What came of reading a damaged file."""

from typing import NamedTuple

REFUSED, SAME, TOLD, UNTOLD = (
    "refused",
    "the same",
    "other, and told",
    "other, without a word",
)


class Verdict(NamedTuple):
    """One of the outcomes above; of the last, what differs; and what should not be: a check could have told it."""

    outcome: str
    differs: str = ""
    fault: str | None = None
