"""The signature of the registered model: two image files in, a table of findings out."""

from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema

COLUMNS: tuple[tuple[str, DataType], ...] = (
    ("pair", DataType.long),
    ("x_px", DataType.double),
    ("y_px", DataType.double),
    ("width_px", DataType.double),
    ("height_px", DataType.double),
    ("defect_class", DataType.string),
    ("external_probability", DataType.double),
    ("hotspot_shape", DataType.string),
    ("confidence", DataType.double),
    ("max_excess_k", DataType.double),
    ("alignment", DataType.string),
)
"""Columns of the findings; ``pair`` is the row of the input."""
MAY_BE_EMPTY = ("external_probability", "max_excess_k")
"""Where the model gives no classes, and without radiometry."""
SIGNATURE = ModelSignature(
    inputs=Schema(
        [ColSpec(DataType.binary, "infrared"), ColSpec(DataType.binary, "visible", required=False)]
    ),
    outputs=Schema(
        [ColSpec(kind, name, required=name not in MAY_BE_EMPTY) for name, kind in COLUMNS]
    ),
)
