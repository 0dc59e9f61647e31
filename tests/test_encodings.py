"""The product's text is UTF-8 on every machine: nothing is read, written or decoded as the locale says."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("benchmarks", "dd_livm_core", "docs", "flows", "tasks")
SOURCES = sorted(
    [ROOT / "bootstrap.py", *(path for name in FOLDERS for path in (ROOT / name).rglob("*.py"))]
)
STARTS = {"run", "Popen", "check_output", "check_call", "call"}
"""Functions of `subprocess` that decode what a program says when asked for text."""
NOT_PATHS = {"archive", "Image", "os", "webbrowser"}
"""Names whose ``open`` opens no text file."""


def calls_without_encoding(source: str) -> Iterator[tuple[int, str]]:
    """Yield line and name of every call that handles text in the locale's encoding."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
        given = {keyword.arg: keyword.value for keyword in node.keywords}
        if "encoding" in given or None in given:
            continue
        text_asked = "text" in given or "universal_newlines" in given
        if (
            (name == "read_text" and not node.args)
            or (
                name == "write_text" and isinstance(node.func, ast.Attribute) and len(node.args) < 2
            )
            or (name in STARTS and text_asked)
            or (name in ("open", "fdopen", "NamedTemporaryFile") and _opens_text(node, given, name))
        ):
            yield node.lineno, ast.unparse(node.func)


def _opens_text(call: ast.Call, given: dict[str | None, ast.expr], name: str) -> bool:
    of = ast.unparse(call.func.value) if isinstance(call.func, ast.Attribute) else None
    if of in NOT_PATHS and name == "open":
        return False
    position = 0 if name == "NamedTemporaryFile" or (of and name == "open") else 1
    mode = given.get("mode") or (call.args[position] if len(call.args) > position else None)
    if mode is None:
        return name != "NamedTemporaryFile"
    return not (isinstance(mode, ast.Constant) and "b" in str(mode.value))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_text_names_its_encoding(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert list(calls_without_encoding(source)) == []


def test_a_text_without_encoding_would_be_found() -> None:
    wrong = [
        "path.read_text()",
        "path.write_text(page)",
        "open(path)",
        "path.open('w')",
        "path.open()",
        "os.fdopen(number, 'w')",
        "subprocess.run(command, text=True)",
        "NamedTemporaryFile('w')",
    ]
    right = [
        "path.read_text(encoding='utf-8')",
        "path.write_text(page, encoding='utf-8')",
        "path.write_text(page, 'utf-8')",
        "open(path, 'rb')",
        "path.open('rb')",
        "subprocess.run(command, capture_output=True)",
        "NamedTemporaryFile()",
        "write_text(path, page)",
        "Image.open(path)",
    ]
    assert [list(calls_without_encoding(line)) for line in right] == [[]] * len(right)
    assert all(list(calls_without_encoding(line)) for line in wrong)
