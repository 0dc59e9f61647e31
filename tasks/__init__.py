"""Prefect tasks, one file per step: read a reference, call the core, write, log.

Importing the package turns telemetry off and lets threads wait without spinning. Both happen at import, because
Prefect, Albumentations, PyTorch and the rest read their switches when they are imported.
"""

from tasks.telemetry import silence
from tasks.threads import wait_passively

silence()
wait_passively()
