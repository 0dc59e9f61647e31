"""The facts of a model come from its version's tags, in a real registry."""

from pathlib import Path

import pytest

from dd_livm_core.missions.contract import ContractLimits
from tasks.register import CONTRACT_TAG, model_facts
from tasks.tracking import MODEL_NAME, client
from tasks.workspace import Workspace


@pytest.mark.parametrize(
    ("tags", "limit_pct"),
    [({CONTRACT_TAG: ContractLimits(max_quarantined_pct=55).model_dump_json()}, 55.0), ({}, 20.0)],
    ids=["limits kept with the version", "a version from before limits were kept"],
)
def test_the_contract_s_limits_are_those_of_the_model_s_retraining(
    tmp_path: Path, tags: dict[str, str], limit_pct: float
) -> None:
    place = Workspace.at(tmp_path)
    store = client(place)
    store.create_registered_model(MODEL_NAME)
    sites = {"dd_livm.training_sites": "a,b", "dd_livm.simulated": "true"}
    store.create_model_version(MODEL_NAME, source=tmp_path.as_uri(), tags={**sites, **tags})
    facts = model_facts(place, "1")
    assert facts.contract.max_quarantined_pct == limit_pct
    assert facts.training_sites == ("a", "b")
