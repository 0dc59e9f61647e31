"""Site plans: whole sites train or stay unseen."""

import pytest

from dd_livm_core.errors import InputError
from dd_livm_core.judgement.site_plan import plan_sites


def test_by_default_the_last_site_by_name_stays_unseen() -> None:
    plan = plan_sites(["plain", "rooftop", "gobi", "plain"])
    assert plan.training == ("gobi", "plain")
    assert plan.unseen == ("rooftop",)


def test_named_sites_stay_unseen() -> None:
    plan = plan_sites(["a", "b", "c"], held_out=["b"])
    assert plan.training == ("a", "c")
    assert plan.unseen == ("b",)


def test_a_single_site_is_trained_on() -> None:
    assert plan_sites(["only"]).unseen == ()


@pytest.mark.parametrize(
    ("labelled", "held_out", "message"),
    [([], [], "none"), (["a"], ["b"], "b"), (["a", "b"], ["a", "b"], "all of a, b held out")],
)
def test_impossible_plans_are_refused(
    labelled: list[str], held_out: list[str], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        plan_sites(labelled, held_out)
