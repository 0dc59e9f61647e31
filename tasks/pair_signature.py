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
    ("hotspot_shape", DataType.string),
    ("confidence", DataType.double),
    ("max_excess_k", DataType.double),
    ("alignment", DataType.string),
)
"""Columns of the findings; ``pair`` is the row of the input, ``max_excess_k`` is empty without radiometry."""
SIGNATURE = ModelSignature(
    inputs=Schema([ColSpec(DataType.binary, "infrared"), ColSpec(DataType.binary, "visible")]),
    outputs=Schema(
        [ColSpec(kind, name, required=name != "max_excess_k") for name, kind in COLUMNS]
    ),
)
