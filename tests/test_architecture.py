"""The plan of the house: which room may know of which."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

FLOORS = (
    ("ladi.types",),
    ("ladi.files", "ladi.naming", "ladi.setting_row"),
    ("ladi.settings", "ladi.progress", "ladi.models"),
    ("ladi.records",),
    ("ladi.preprocess",),
    ("ladi.diffusion",),
    ("ladi.postprocess", "ladi.weights"),
    ("ladi.runtime",),
    ("ladi.engine",),
    ("ladi.shelf",),
    ("ladi.batch", "ladi.data"),
    ("ladi.training", "ladi.evaluation", "ladi.scale"),
    ("ladi.commands",),
    ("app",),
)
"""From the ground up: a room imports from floors below its own, and from nowhere else."""


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for folder in ("ladi", "app") for path in (ROOT / folder).rglob("*.py")}


def imports_of(path: Path) -> Iterator[str]:
    """The project's modules that a file imports: also inside functions, and for annotations only."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            inner = name if name in MODULES else name.rpartition(".")[0]
            if inner in MODULES:
                yield inner


GRAPH = {name: set(imports_of(path)) for name, path in MODULES.items()}


def floor_of(module: str) -> tuple[int, str]:
    """Its number, and the room on it."""
    for number, rooms in enumerate(FLOORS):
        for room in rooms:
            if module == room or module.startswith(room + "."):
                return number, room
    raise AssertionError(f"{module} stands on no floor: give it a room in FLOORS")


def find_circle(graph: dict[str, set[str]]) -> list[str]:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_module_imports_itself_by_a_detour() -> None:
    """Prevents a change in one file that cannot be understood without five others."""
    assert find_circle(GRAPH) == []
    assert find_circle({"one": {"two"}, "two": {"one"}}), "a circle would not be seen"


def test_no_arrow_runs_upwards() -> None:
    """Prevents a network that knows of the command line, or a library that knows of the page."""
    upwards = []
    for module, imported in GRAPH.items():
        if module in ("ladi", "ladi.__main__"):  # the front door and the command's
            continue
        floor, room = floor_of(module)
        for other in imported - {"ladi"}:
            below, other_room = floor_of(other)
            if other_room != room and below >= floor:
                upwards.append(f"{module} → {other}")
    assert upwards == []


def test_the_commands_stand_beside_each_other() -> None:
    """Prevents a command that is built out of another; what they share is flags and the way in."""
    commands = {name for name in MODULES if name.startswith("ladi.commands.")}
    commands -= {"ladi.commands.flags", "ladi.commands.main"}
    assert [f"{name} → {other}" for name in commands for other in GRAPH[name] & commands] == []


def test_the_conventions_cost_no_networks() -> None:
    """Prevents seconds of waiting for torch where only a name or a setting is wanted."""
    light = "ladi, ladi.types, ladi.settings, ladi.weights.catalog, ladi.commands.main"
    code = f"import sys, {light}; print(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert not {"torch", "diffusers", "transformers", "gradio"} & set(run.stdout.split())
