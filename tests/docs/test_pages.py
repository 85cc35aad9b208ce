"""README and docs: short where they must be, true to the tree, and with commands that exist."""

from __future__ import annotations

import importlib.util
import re
import shlex
import shutil
from collections import Counter
from pathlib import Path

import pytest

from app.serving.options import build_parser as page_parser
from ladi.commands.main import build_parser
from tests.docs.reading import BLOCK, PAGES, ROOT, blocks, commands

EXAMPLES = ROOT / "assets" / "examples"
STANDING_FOR = {"STAGE": "warp", "N": "1", "D": "cpu", "X": "1"}
"""Words of a pattern that a parser would refuse."""
OURS = re.compile(r"(accelerate launch -m ladi|python -m ladi|python app\.py|ladi) ")


def test_the_readme_is_a_front_door() -> None:
    """Prevents a manual at the entrance."""
    lines = (ROOT / "README.md").read_text("utf-8").splitlines()
    assert len(lines) <= 120 and max(map(len, lines)) <= 160


def test_the_architecture_names_every_module() -> None:
    """Prevents a map on which rooms are missing, or houses stand that were torn down."""
    spec = importlib.util.spec_from_file_location("map", ROOT / "docs" / "map.py")
    assert spec is not None and spec.loader is not None
    drawing = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(drawing)
    text = drawing.PAGE.read_text("utf-8")
    assert drawing.redrawn(text) == text, "the map is of another day: run `python docs/map.py`"
    named = re.findall(r"^\| `((?:ladi|app)/[\w/]+\.py)` \| \S.+ \|$", text, re.MULTILINE)
    there = [path for folder in ("ladi", "app") for path in (ROOT / folder).rglob("*.py")]
    assert sorted(named) == sorted(
        path.relative_to(ROOT).as_posix() for path in there if path.name != "__init__.py"
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    """Prevents pictures that are not shown and pages that are not found."""
    for target in re.findall(r"\]\(([^)#]+)(?:#[\w-]+)?\)", page.read_text("utf-8")):
        assert target.startswith("http") or (page.parent / target).exists(), target


@pytest.mark.parametrize("command", filter(OURS.match, commands()))
def test_every_command_is_understood(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prevents flags in the documentation that the programs have left behind."""
    if "…" in command or "[" in command:
        pytest.skip("a pattern, not a command")
    words = [STANDING_FOR.get(word, word) for word in shlex.split(command)]
    if words[:2] == ["python", "app.py"]:
        parser, words = page_parser(), words[2:]
    else:
        words = words[words.index("ladi") + 1 :]
        parser = build_parser(words[:1])
    if words and words[-1] == "--help":
        with pytest.raises(SystemExit) as stop:
            parser.parse_args(words)
        assert stop.value.code == 0
    elif len(words) > 1 or parser.prog == "python app.py":
        parser.parse_args(words)  # exits where a word is not known


@pytest.mark.parametrize(
    ("page", "number"), [("README.md", 0), ("docs/python.md", 0), ("docs/python.md", 1)], ids=str
)
def test_the_python_runs(page: str, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prevents an example that does not work when it is copied."""
    shutil.copy(EXAMPLES / "person-anna.jpg", tmp_path / "person.jpg")
    shutil.copy(EXAMPLES / "garment-striped-tee.jpg", tmp_path / "garment.jpg")
    monkeypatch.chdir(tmp_path)
    exec(compile(blocks(ROOT / page, "python")[number], page, "exec"), {})
    assert list(tmp_path.glob("*.png"))


def test_every_block_is_run_by_a_test() -> None:
    """Prevents an example that nobody tries."""
    counted = Counter(
        (page.relative_to(ROOT).as_posix(), language)
        for page in PAGES
        for language, _ in BLOCK.findall(page.read_text("utf-8"))
        if language not in ("sh", "bibtex")  # commands are test_commands.py's
    )
    assert counted == {
        ("README.md", ""): 2,  # commands too
        ("README.md", "python"): 1,
        ("docs/python.md", "python"): 2,
        ("docs/api.md", "python"): 1,  # tests/ui/test_api_page.py
        ("docs/api.md", "bash"): 1,
        ("docs/architecture.md", ""): 1,  # a drawing
        ("docs/hosting.md", "nginx"): 1,  # tests/ui/test_proxies.py
        ("docs/hosting.md", "caddy"): 1,
    }
