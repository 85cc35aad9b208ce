"""Every benchmark and script can at least be started."""

from __future__ import annotations

import ast
import importlib.util
import runpy
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted([*ROOT.glob("benchmarks/*.py"), *ROOT.glob("assets/*/*.py"), *ROOT.glob("docs/*.py")])


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_a_script_imports_from_the_project_is_there(path: Path) -> None:
    """Prevents a script that was forgotten when a function moved; also for what it imports late."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in ("ladi", "app"):
            module = importlib.import_module(str(node.module))
            for alias in node.names:
                here = hasattr(module, alias.name)
                inner = hasattr(module, "__path__") and importlib.util.find_spec(
                    f"{node.module}.{alias.name}"
                )
                assert here or inner, f"{node.module} has no {alias.name}"


@pytest.mark.parametrize("name", ["loaders", "compare", "photo_to_photo"])
def test_a_benchmark_says_what_it_takes(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Prevents one that stops at its first line."""
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module(f"benchmarks.{name}", run_name="__main__")
    assert not ended.value.code and "usage" in capsys.readouterr().out
