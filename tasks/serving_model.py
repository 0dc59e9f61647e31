"""The registered model: a pyfunc logged as code, with its weights as safetensors; nothing is pickled.

MLflow runs this file when the model is loaded. Input: one row per image pair of one mission, the two files as bytes,
the visible one empty where there is none. Output: one row per finding, boxes in infrared pixels.
"""

import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel

from tasks.pair_signature import COLUMNS


class PairDetector(PythonModel):  # type: ignore[misc]  # MLflow is typed in parts only
    """Finds defects in pairs of image files."""

    def load_context(self, context: Any) -> None:
        """Read the weights."""
        from dd_livm_core.model.weights import load_detector

        self.detector = load_detector(Path(context.artifacts["weights"]))

    def predict(
        self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """Align the pairs as one mission and return one row per finding, with the columns of `pair_signature`.

        ``pair`` is the number of the input row, from 0. MLflow calls this; ``context`` and ``params`` are not used.
        """
        from dd_livm_core.inspection.findings import findings_table, inspect_pairs
        from dd_livm_core.missions.pair_files import PairFiles

        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            pairs = []
            for number, row in enumerate(model_input.to_dict("records")):
                infrared, visible = root / f"{number}_infrared", None
                infrared.write_bytes(row["infrared"])
                if isinstance(row.get("visible"), bytes):
                    visible = root / f"{number}_visible"
                    visible.write_bytes(row["visible"])
                pairs.append(PairFiles(str(number), infrared, visible))
            inspected = inspect_pairs(self.detector, pairs, root / "aligned")
            table = findings_table(inspected)
        table["pair"] = table["pair_id"].astype("int64")
        return table[[name for name, _ in COLUMNS]]


set_model(PairDetector())
