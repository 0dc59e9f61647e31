"""FLIR's camera equation: from raw counts to °C, with the parameters of a FLIR file's camera record.

raw = R1 / (R2·(exp(B/T) − F)) − O, after taking out what the object reflects and the air adds. Offsets of the
parameters are those that ExifTool documents (FLIR tags).
"""

import struct
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dd_livm_core.records import MeasurementParameters

ZERO_C_K = 273.15


@dataclass(frozen=True)
class CameraParameters:
    """What FLIR's camera equation takes, under ExifTool's names; humidity is a share of 1."""

    emissivity: float
    distance_m: float
    reflected_k: float
    air_k: float
    window_k: float
    window_transmission: float
    humidity: float
    r1: float
    b: float
    f: float
    alpha: tuple[float, float]
    beta: tuple[float, float]
    x: float
    o: int
    r2: float
    camera: str | None


def record_byte_order(record: bytes) -> str:
    """Return the byte order of a record, as `struct` writes it; its first number is below 256."""
    return "<" if struct.unpack_from("<H", record, 0)[0] < 0x100 else ">"


def read_parameters(record: bytes) -> CameraParameters:
    """Return the camera record's parameters, from the offsets that ExifTool documents."""
    order = record_byte_order(record)

    def value(offset: int, kind: str = "f") -> float:
        return float(struct.unpack_from(f"{order}{kind}", record, offset)[0])

    camera = record[0xD4:0xF4].split(b"\0")[0].decode("ascii", "replace").strip() or None
    humidity = value(0x3C)
    return CameraParameters(
        emissivity=value(0x20),
        distance_m=value(0x24),
        reflected_k=value(0x28),
        air_k=value(0x2C),
        window_k=value(0x30),
        window_transmission=value(0x34),
        humidity=humidity if humidity <= 2 else humidity / 100,
        r1=value(0x58),
        b=value(0x5C),
        f=value(0x60),
        alpha=(value(0x70), value(0x74)),
        beta=(value(0x78), value(0x7C)),
        x=value(0x80),
        o=int(value(0x308, "i")),
        r2=value(0x30C),
        camera=camera,
    )


def replace_parameters(own: CameraParameters, given: MeasurementParameters) -> CameraParameters:
    """Return a file's parameters with the given ones in their place."""
    reflected_k = None if given.reflected_c is None else given.reflected_c + ZERO_C_K
    values = {
        "emissivity": given.emissivity,
        "distance_m": given.distance_m,
        "reflected_k": reflected_k,
        "humidity": given.relative_humidity,
    }
    return replace(own, **{name: value for name, value in values.items() if value is not None})  # type: ignore[arg-type]


def convert_by_table(raw: NDArray[np.uint16], parameters: CameraParameters) -> NDArray[np.float32]:
    """Return °C, float32 (H, W); each count that may occur is converted once, as they are fewer than pixels."""
    _check_parameters(parameters)
    lowest = int(raw.min())
    counts = np.arange(lowest, int(raw.max()) + 1, dtype=np.float64)
    return np.asarray(_temperature_c(counts, parameters)[raw - np.uint16(lowest)])


def _check_parameters(p: CameraParameters) -> None:
    """Raise a ValueError for values that no measurement has."""
    if not (0.01 <= p.emissivity <= 1 and p.r1 > 0 and p.r2 > 0 and 500 < p.b < 5000):
        raise ValueError(f"emissivity {p.emissivity}, R1 {p.r1}, R2 {p.r2}, B {p.b}")
    if not (100 < p.reflected_k < 2000 and 150 < p.air_k < 400 and 0 <= p.humidity <= 1):
        raise ValueError(f"reflected {p.reflected_k} K, air {p.air_k} K, humidity {p.humidity}")
    if not 0 <= p.distance_m <= 10_000:
        raise ValueError(f"distance {p.distance_m} m")


def _temperature_c(raw: NDArray[np.float64], p: CameraParameters) -> NDArray[np.float32]:
    """Return °C of raw counts, by FLIR's camera equation."""

    def radiance(kelvin: float) -> float:
        return float(p.r1 / (p.r2 * (np.exp(p.b / kelvin) - p.f)) - p.o)

    window = p.window_transmission if 0 < p.window_transmission <= 1 else 1.0
    e, t = p.emissivity, _air_transmission(p)
    # two stretches of air, before and after the window, as FLIR and ExifTool take them
    added = (
        (1 - e) / e * radiance(p.reflected_k)
        + (1 - t) / (e * t) * radiance(p.air_k)
        + (1 - window) / (e * t * window) * radiance(p.window_k if p.window_k > 0 else p.air_k)
        + (1 - t) / (e * t * t * window) * radiance(p.air_k)
    )
    seen = raw / (e * t * window * t) - added
    ratio = p.r1 / (p.r2 * (seen + p.o)) + p.f
    return (p.b / np.log(ratio) - ZERO_C_K).astype(np.float32)


def _air_transmission(p: CameraParameters) -> float:
    """Return the share of radiation that passes half the distance, by the formula of the readers flyr and Thermimage.

    Its exponential of a polynomial is the water vapour that saturated air holds, in g/m3.
    """
    air_c = p.air_k - ZERO_C_K
    vapour = p.humidity * np.exp(
        1.5587 + 0.06939 * air_c - 0.00027816 * air_c**2 + 6.8455e-7 * air_c**3
    )
    root = np.sqrt(p.distance_m / 2)
    transmission = float(
        p.x * np.exp(-root * (p.alpha[0] + p.beta[0] * np.sqrt(vapour)))
        + (1 - p.x) * np.exp(-root * (p.alpha[1] + p.beta[1] * np.sqrt(vapour)))
    )
    if not 0 < transmission <= 1.01:
        raise ValueError(f"atmospheric transmission {transmission}")
    return transmission
