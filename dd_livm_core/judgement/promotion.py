"""Decide which model serves: one gate on the mean over the deciding sites, one on the worst of them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field


class PromotionGates(BaseModel):
    """What a challenger must reach against the champion; both are scored on the same data."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    min_mean_gain_points: float = Field(
        0.0, ge=-100, le=100, description="least gain in mean detection accuracy, percentage points"
    )
    max_site_drop_points: float = Field(
        5.0, ge=0, le=100, description="most that any one site may lose, percentage points"
    )


@dataclass(frozen=True)
class Decision:
    """Whether the challenger is promoted, and why."""

    promote: bool
    reason: str


def decide(
    challenger: Mapping[str, float], champion: Mapping[str, float] | None, gates: PromotionGates
) -> Decision:
    """Decide whether the challenger replaces the champion.

    Parameters
    ----------
    challenger, champion
        Site → detection accuracy in percent, of the same sites and the same data; ``champion`` is None where there
        is no champion yet.
    gates
        The two gates.

    Raises
    ------
    ValueError
        The two were scored on different sites, or the challenger on none.
    """
    if not challenger:
        raise ValueError("no site was scored: promotion needs at least one")
    if champion is None:
        return Decision(True, "first model: there is no champion to compare with")
    if set(challenger) != set(champion):
        raise ValueError(f"scored on different sites: {sorted(challenger)} and {sorted(champion)}")
    gain = sum(challenger.values()) / len(challenger) - sum(champion.values()) / len(champion)
    worst = min(challenger, key=lambda site: challenger[site] - champion[site])
    drop = champion[worst] - challenger[worst]
    if gain < gates.min_mean_gain_points:
        return Decision(
            False,
            f"mean gain {gain:+.1f} points, below the gate of {gates.min_mean_gain_points:+.1f}",
        )
    if drop > gates.max_site_drop_points:
        return Decision(
            False,
            f"{worst} loses {drop:.1f} points, over the gate of {gates.max_site_drop_points:.1f}",
        )
    return Decision(
        True, f"mean gain {gain:+.1f} points, largest loss {max(drop, 0):.1f} ({worst})"
    )


def select_accuracies(
    scores: Mapping[str, Mapping[str, float]], unseen: Collection[str]
) -> dict[str, float]:
    """Return the detection accuracy, in percent, of each site that decides on promotion.

    Parameters
    ----------
    scores
        Site → its metrics, as `scores.score_site` returns them.
    unseen
        Sites kept from training: they decide; where there is none, all sites do.
    """
    deciding = [site for site in scores if site in unseen] or list(scores)
    return {site: scores[site]["detection_accuracy"] for site in deciding}
