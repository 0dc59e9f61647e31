"""What a user must know of a registered model to read its findings."""

from pydantic import BaseModel, ConfigDict

from dd_livm_core.missions.contract import ContractLimits


class ModelFacts(BaseModel):
    """What a registered model's version says of itself.

    Attributes
    ----------
    contract
        Limits of the data contract that its retraining kept to.
    """

    model_config = ConfigDict(frozen=True)

    version: str
    training_sites: tuple[str, ...]
    simulated: bool
    contract: ContractLimits = ContractLimits()
