"""What the registered model takes and gives."""

from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema

COLUMNS: tuple[tuple[str, DataType], ...] = (
    ("pair", DataType.long),
    ("x_px", DataType.double),
    ("y_px", DataType.double),
    ("width_px", DataType.double),
    ("height_px", DataType.double),
    ("defect_class", DataType.string),
    ("hotspot_shape", DataType.string),
    ("confidence", DataType.double),
    ("max_excess_k", DataType.double),
    ("alignment", DataType.string),
)
SIGNATURE = ModelSignature(
    inputs=Schema([ColSpec(DataType.binary, "infrared"), ColSpec(DataType.binary, "visible")]),
    outputs=Schema(
        [ColSpec(kind, name, required=name != "max_excess_k") for name, kind in COLUMNS]
    ),
)
