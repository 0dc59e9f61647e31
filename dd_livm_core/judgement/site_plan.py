"""Plan which sites are trained on and which stay unseen: whole sites, before anything is trained."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from dd_livm_core.errors import InputError
from dd_livm_core.records import Identifier


class EvaluationSettings(BaseModel):
    """Which sites stay unseen."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    held_out_sites: tuple[Identifier, ...] = Field(
        (),
        description="sites kept from training, to be scored as unseen; empty: the last labelled site by name",
    )


@dataclass(frozen=True)
class SitePlan:
    """Training sites and unseen sites, each sorted; all missions of a site are on the same side."""

    training: tuple[str, ...]
    unseen: tuple[str, ...]


def plan_sites(labelled: Sequence[str], held_out: Sequence[str] = ()) -> SitePlan:
    """Return the labelled sites split into training and unseen ones.

    Parameters
    ----------
    labelled
        Sites with at least one labelled mission.
    held_out
        Sites to keep unseen; empty keeps the last by name, or none where there is only one site.

    Raises
    ------
    InputError
        No labelled site, a held-out site without labels, or nothing left to train on.
    """
    sites = tuple(sorted(set(labelled)))
    if not sites:
        raise InputError(
            "at least one site with labelled missions (infrared alone does not count)",
            "none",
            "data/",
            "Give labels with `dd-livm ingest ... --labels labels.json`, or see `dd-livm demo`.",
        )
    unknown = sorted(set(held_out) - set(sites))
    if unknown:
        raise InputError(
            f"held-out sites among the labelled ones ({', '.join(sites)})",
            ", ".join(unknown),
            "evaluation.held_out_sites",
            "Name sites that have labelled missions.",
        )
    unseen = tuple(sorted(set(held_out))) or (sites[-1:] if len(sites) > 1 else ())
    training = tuple(site for site in sites if site not in unseen)
    if not training:
        raise InputError(
            "at least one labelled site left for training",
            f"all of {', '.join(sites)} held out",
            "evaluation.held_out_sites",
            "Hold out fewer sites.",
        )
    return SitePlan(training, unseen)
