"""The keys of a station's profile as tables, from the models that check them."""

from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from dd_livm_core.fleet.plausibility import LIMITS
from dd_livm_core.fleet.profile import Profile, Span

_BOUNDS = {"ge": "≥ {}", "gt": "> {}", "le": "≤ {}", "lt": "< {}"}
_UNITS = {
    "_w_m2": "W/m²", "_per_k": "1/K", "_m_s": "m/s", "_deg": "°", "_px": "px", "_rgb": "0–255",
    "_m": "m", "_k": "K", "_c": "°C", "_s": "s", "rgb": "0–255",
}  # fmt: skip


def _shown(value: object) -> str:
    if isinstance(value, Span):
        return f"[{value.low:g}, {value.high:g}]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "[" + ", ".join(map(str, value)) + "]"
    if isinstance(value, dict):
        return ", ".join(f"{k} {v:g}" for k, v in value.items())
    return f"{value:g}" if isinstance(value, float) else str(value)


def _kind(table: str, name: str, field: FieldInfo) -> str:
    """Say what may stand there."""
    limits = [
        form.format(f"{getattr(bound, name):g}")
        for bound in field.metadata
        for name, form in _BOUNDS.items()
        if getattr(bound, name, None) is not None
    ]
    choices = [a for a in get_args(field.annotation) if isinstance(a, str)]
    if choices:
        return ", ".join(choices)
    if f"{table}.{name}" in LIMITS:
        return "range within {:g} to {:g}".format(*LIMITS[f"{table}.{name}"])
    if isinstance(field.annotation, type) and issubclass(field.annotation, Span):
        return "range"
    words = {bool: "true, false", int: "whole number", str: "text"}
    kind = words.get(field.annotation, "") if isinstance(field.annotation, type) else ""
    return ", ".join(part for part in (kind, *limits) if part)


def _row(table: str, name: str, field: FieldInfo) -> tuple[str, ...]:
    unit = next((u for end, u in _UNITS.items() if name.endswith(end)), "")
    default = (
        "required" if field.is_required() else _shown(field.get_default(call_default_factory=True))
    )  # type: ignore[call-arg]
    return f"`{name}`", unit, _kind(table, name, field), default, field.description or ""


def _rows(table: str, model: type[BaseModel]) -> list[tuple[str, ...]]:
    return [
        _row(table, name, field)
        for name, field in model.model_fields.items()
        if not (isinstance(field.annotation, type) and _is_table(field.annotation))
    ]


def _is_table(annotation: Any) -> bool:
    return (
        get_origin(annotation) is None
        and issubclass(annotation, BaseModel)
        and not issubclass(annotation, Span)
    )


def list_keys_by_table() -> dict[str, list[tuple[str, ...]]]:
    """Return (key, unit, allowed, default, meaning) of every key, by table of the profile."""
    tables = {"(top)": _rows("", Profile)}
    for name, field in Profile.model_fields.items():
        if isinstance(field.annotation, type) and _is_table(field.annotation):
            tables[f"[{name}]"] = _rows(name, field.annotation)
    return tables
