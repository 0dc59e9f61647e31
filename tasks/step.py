"""Reuse a step's result while its inputs, its configuration and the code that computes it are the same.

Prefect's own ``TASK_SOURCE`` hashes a task's lines only, so a change in the core would bring back stale
results. A :class:`Step` hashes the modules that it names, all modules of the core and of the tasks that those
import, and the templates of those that draw pages.
"""

import ast
import hashlib
import importlib.metadata
import importlib.util
import json
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from prefect import Task, get_run_logger
from pydantic import BaseModel, ConfigDict

from dd_livm_core.files import hash_file
from tasks.disk_space import explain_full_disk
from tasks.finished_folder import keep_written, look_at, read_written
from tasks.workspace import KEY_CHARACTERS, Workspace

LOG = logging.getLogger(__name__)
P = ParamSpec("P")
R = TypeVar("R")

FOLLOWED = ("dd_livm_core", "tasks")
"""Packages whose modules decide results."""
MACHINERY = frozenset(
    f"tasks.{name}"
    for name in (
        "artifact_store",
        "disk_space",
        "finished_folder",
        "progress",
        "snapshot",
        "step",
        "telemetry",
        "threads",
        "tracking",
        "workspace",
    )
)
"""Modules that run, place and record steps, and decide no content."""
TEMPLATES = Path(__file__).with_name("templates")
LOCK_WAIT_S = 3600.0
"""Longest wait for another process that computes the same result: as long as a slow step may take. Chosen."""
LIBRARIES = ("albumentations", "numpy", "opencv-python-headless", "scipy", "torch")
"""Libraries whose version changes numbers."""


class Reference(BaseModel):
    """What passes between tasks: a folder in the workspace, and the hash of its content."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    sha256: str

    def folder(self, workspace: Workspace) -> Path:
        """Return the absolute folder."""
        return workspace.root / self.path


def refer(workspace: Workspace, folder: Path) -> Reference:
    """Return the reference of a finished folder to what it holds now."""
    known = read_written(folder)
    found = look_at(folder, known)
    if known and known.files != found.files and known.sha256 == found.sha256:
        keep_written(folder, replace(known, files=found.files))  # moved or copied: read once
    return Reference(path=folder.relative_to(workspace.root).as_posix(), sha256=found.sha256)


def _source(name: str) -> Path | None:
    """Return the file of a module, or None where the name is none."""
    spec = importlib.util.find_spec(name)
    return Path(spec.origin) if spec and spec.origin else None


def _imports(path: Path, package: str) -> Iterable[str]:
    """Yield every module that a file imports, and every name that it imports from one, which may be a module, too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = importlib.util.resolve_name("." * node.level + base, package)
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _is_followed(name: str) -> bool:
    """Return whether an imported name may be a module that decides results: not a function's name, for example."""
    if name.split(".")[0] not in FOLLOWED or name in MACHINERY:
        return False
    # `from dd_livm_core.heat.diffusion import steady_excess` names a function, not a file
    parent = name.rpartition(".")[0]
    origin = _source(parent) if parent else None
    return not parent or (origin is not None and origin.name == "__init__.py")


@cache
def code_hash(modules: tuple[str, ...]) -> str:
    """Return one hash of the given modules, all that they import of the core and the tasks, templates and libraries."""
    seen: dict[str, str] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        path = _source(name) if name not in seen else None
        if path is None or not path.exists():
            continue
        seen[name] = hash_file(path)
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        imported = set(_imports(path, package))
        waiting += filter(_is_followed, imported)
        if "jinja2" in imported:
            seen |= {page.name: hash_file(page) for page in TEMPLATES.iterdir() if page.is_file()}
    libraries = [f"{name} {importlib.metadata.version(name)}" for name in LIBRARIES]
    return hashlib.sha256(json.dumps([sorted(seen.items()), libraries]).encode()).hexdigest()


def _to_plain(value: Any) -> Any:
    """Return a parameter as plain values that decide the result."""
    if isinstance(value, Reference):
        return value.sha256  # the content counts, not where it lies
    if isinstance(value, Workspace):
        return "workspace"  # moved or copied, it holds the same
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {str(k): _to_plain(v) for k, v in sorted(value.items())}
    if isinstance(value, list | tuple):
        return [_to_plain(v) for v in value]
    return value


class Step:
    """One step: the key of its results, and their folders. Prefect calls it as the task's ``cache_key_fn``.

    Parameters
    ----------
    name, version
        Raise the version when the step writes something else; runs and models record it.
    modules
        Modules whose code decides the result: the task's own, and with it all that it imports.
    ignore
        Parameters that do not change the result, such as where progress goes.
    """

    def __init__(
        self, name: str, version: str, modules: tuple[str, ...], ignore: tuple[str, ...] = ()
    ) -> None:
        self.name, self.version = name, version
        self.modules, self.ignore = modules, frozenset(ignore)

    def key(self, parameters: Mapping[str, Any]) -> str:
        """Return the hash of one call: its parameters, the step's version and the code."""
        kept = {k: _to_plain(v) for k, v in parameters.items() if k not in self.ignore}
        identity = [self.name, self.version, code_hash(self.modules), sorted(kept.items())]
        return hashlib.sha256(json.dumps(identity, default=str).encode()).hexdigest()

    def __call__(self, context: object, parameters: dict[str, Any]) -> str:
        """Return the cache key of one call, as Prefect asks for it."""
        return f"{self.name}-{self.key(parameters)}"

    def produce(
        self,
        workspace: Workspace,
        parameters: Mapping[str, Any],
        write: Callable[[Path], str | None],
    ) -> Reference:
        """Return the step's finished folder, writing it first unless it is there and holds what was written.

        ``write`` fills an unfinished folder, which then takes its final name in one move: a killed run
        leaves nothing that looks finished. What it could not read it returns in words; such a result is
        used now and written anew next time.
        """
        key = self.key(parameters)
        final = workspace.step_folder(self.name, key)
        with (
            workspace.lock(
                f"{self.name}-{key[:KEY_CHARACTERS]}", wait_s=3600, purpose=f"step {self.name}"
            ),
            explain_full_disk(workspace),
        ):
            if not self._is_finished(workspace, final):
                self._write(final, write)
            return refer(workspace, final)

    def _is_finished(self, workspace: Workspace, final: Path) -> bool:
        """Return whether a folder is there, whole, and holds what was written."""
        written = read_written(final)
        if not final.exists() or written is None or written.lacks:
            return False
        if refer(workspace, final).sha256 == written.sha256:
            return True
        LOG.warning("%s: %s has changed since it was written, writing it anew", self.name, final)
        return False

    def _write(self, final: Path, write: Callable[[Path], str | None]) -> None:
        final.parent.mkdir(parents=True, exist_ok=True)
        for abandoned in final.parent.glob(f".{final.name}-*"):  # a killed run's
            shutil.rmtree(abandoned)
        unfinished = Path(tempfile.mkdtemp(prefix=f".{final.name}-", dir=final.parent))
        try:
            lacks = write(unfinished) or ""
            if final.exists():
                shutil.rmtree(final)
            keep_written(final, replace(look_at(unfinished), lacks=lacks, time_ns=time.time_ns()))
            os.replace(unfinished, final)  # noqa: PTH105  a folder, onto a free name
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise


def run_step(
    task: "Task[Concatenate[Workspace, P], R]",
    workspace: Workspace,
    *arguments: P.args,
    **parameters: P.kwargs,
) -> R:
    """Call a cached task; run it anew where its cached result is gone, damaged, or lacks what could not be read."""
    started_ns = time.time_ns()
    result = task(workspace, *arguments, **parameters)
    for reference in _references(result):
        if why := _find_fault(workspace, reference, started_ns):
            get_run_logger().warning(
                "%s: %s %s, running the step anew", task.name, reference.path, why
            )
            return task.with_options(refresh_cache=True)(workspace, *arguments, **parameters)
    return result


def _find_fault(workspace: Workspace, reference: Reference, started_ns: int) -> str:
    """Return in words why a result from before ``started_ns`` cannot be used again; empty where it can."""
    folder = reference.folder(workspace)
    if not folder.is_dir():
        return "is gone"
    written = read_written(folder)
    if written and written.lacks and written.time_ns < started_ns:
        return f"lacks what could not be read ({written.lacks})"
    if refer(workspace, folder).sha256 != reference.sha256:
        return "does not hold what was written"
    return ""


def _references(result: object) -> list[Reference]:
    """Return the references that a task's result is or holds."""
    if isinstance(result, Reference):
        return [result]
    if isinstance(result, BaseModel):
        return [value for _, value in result if isinstance(value, Reference)]
    return []
