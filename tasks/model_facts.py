"""The record of what a registered model was made from."""

from pydantic import BaseModel, ConfigDict

from dd_livm_core.missions.contract import ContractLimits


class ModelFacts(BaseModel):
    """What a version in the registry says of its model.

    Attributes
    ----------
    training_sites
        Sites that it was trained on.
    simulated
        Whether any of the labelled sites of its retraining is simulated: its scores then say nothing of real plants.
    contract
        Limits of the data contract that its retraining kept to.
    """

    model_config = ConfigDict(frozen=True)

    version: str
    training_sites: tuple[str, ...]
    simulated: bool
    contract: ContractLimits = ContractLimits()
