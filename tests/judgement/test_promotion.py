"""Promotion: a gate on the mean, a gate on the worst site, and which sites decide."""

import pytest

from dd_livm_core.judgement.promotion import PromotionGates, decide, select_accuracies

GATES = PromotionGates(min_mean_gain_points=0.0, max_site_drop_points=5.0)


def test_the_first_model_is_promoted() -> None:
    assert decide({"a": 12.0}, None, GATES).promote


def test_a_better_mean_does_not_make_up_for_a_worse_site() -> None:
    decision = decide({"a": 90.0, "b": 50.0}, {"a": 60.0, "b": 60.0}, GATES)
    assert not decision.promote
    assert "b loses 10.0 points" in decision.reason


def test_equal_scores_pass_a_gate_of_zero_gain() -> None:
    assert decide({"a": 70.0, "b": 70.0}, {"a": 70.0, "b": 70.0}, GATES).promote


def test_a_lower_mean_is_refused() -> None:
    assert not decide({"a": 69.0, "b": 70.0}, {"a": 70.0, "b": 70.0}, GATES).promote


def test_scores_on_different_sites_or_none_are_refused() -> None:
    with pytest.raises(ValueError, match="different sites"):
        decide({"a": 1.0}, {"b": 1.0}, GATES)
    with pytest.raises(ValueError, match="no site"):
        decide({}, None, GATES)


def test_unseen_sites_decide_or_all_where_there_is_none() -> None:
    scores = {"a": {"detection_accuracy": 90.0}, "b": {"detection_accuracy": 40.0}}
    assert select_accuracies(scores, ("b",)) == {"b": 40.0}
    assert select_accuracies(scores, ()) == {"a": 90.0, "b": 40.0}
