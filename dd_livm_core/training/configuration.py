"""The settings of a training."""

from pydantic import BaseModel, ConfigDict, Field


class TrainingConfig(BaseModel):
    """Defect-targeted fine-tuning in three stages."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(0, ge=0, lt=2**31, description="seed of weights, order and augmentation")
    input_width_px: int = Field(
        384, ge=128, le=1280, multiple_of=32, description="width of the network's input, pixels"
    )
    input_height_px: int = Field(
        320, ge=96, le=1024, multiple_of=32, description="height of the network's input, pixels"
    )
    channels: int = Field(
        24, ge=8, le=96, multiple_of=8, description="channels of the encoders' first layer"
    )
    batch_size: int = Field(8, ge=1, le=128, description="pairs per step")
    epochs_stage_1: int = Field(
        30, ge=1, le=1000, description="infrared side: where hotspots are, their shape"
    )
    epochs_stage_2: int = Field(
        20, ge=1, le=1000, description="visible side: external defect class, or internal"
    )
    epochs_stage_3: int = Field(
        30, ge=1, le=1000, description="both sides, through the gated residuals"
    )
    learning_rate: float = Field(
        2e-3, gt=0, le=0.1, description="learning rate at its peak, after the warm-up"
    )
    encoder_rate_factor: float = Field(
        0.3,
        ge=0,
        le=1,
        description="learning rate of the encoders in stage 3, as a share of learning_rate",
    )
    weight_decay: float = Field(0.02, ge=0, le=1, description="weight decay of AdamW")
    contrastive_weight: float = Field(
        0.2, ge=0, le=10, description="weight of the contrastive loss"
    )
    ema_decay: float = Field(0.98, ge=0, lt=1, description="decay of the weight average, per step")
    hotspot_augmentation: bool = Field(True, description="re-render hotspots under other weather")
    torch_threads: int = Field(
        2,
        ge=1,
        le=64,
        description="threads of PyTorch; fixed, as another number can change the last bits",
    )

    def epochs(self, stage: int) -> int:
        """Return the epochs of stage 1, 2 or 3."""
        return (self.epochs_stage_1, self.epochs_stage_2, self.epochs_stage_3)[stage - 1]
