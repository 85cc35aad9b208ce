"""Write the map in ``architecture.md``: every module with the first words of its own description.

python docs/map.py
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = Path(__file__).with_name("architecture.md")
BEGIN, END = "<!-- written by docs/map.py -->\n", "<!-- to here -->\n"
FIRST = (
    "models preprocess diffusion postprocess weights runtime batch data training evaluation commands".split()
)
"""The rooms of ``ladi`` from the ground up; what is new comes last."""


def first_words(path: Path) -> str:
    """The first sentence of a module's docstring."""
    paragraph = (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").split("\n\n")[0]
    sentence = re.split(r"(?<=[\w`)\]\x22\x27])\.(?: |$)|: ``", " ".join(paragraph.split()))[0]
    return sentence.replace("``", "").replace("|", "/")


def floor(folder: Path) -> tuple[int, str]:
    """Where a folder stands: the library before the page, rooms in the order of ``FIRST``."""
    parts = folder.relative_to(ROOT).parts
    if parts[0] == "app":
        return len(FIRST) + 2, "/".join(parts)
    room = FIRST.index(parts[1]) if len(parts) > 1 and parts[1] in FIRST else len(FIRST) + 1
    return -1 if len(parts) == 1 else room, "/".join(parts)


def draw() -> str:
    """The map as Markdown."""
    folders = {path.parent for name in ("ladi", "app") for path in (ROOT / name).rglob("*.py")}
    lines = []
    for folder in sorted(folders, key=floor):
        modules = [path for path in sorted(folder.glob("*.py")) if path.name != "__init__.py"]
        if modules:
            lines += [
                f"### {folder.relative_to(ROOT).as_posix()}/",
                "",
                f"{first_words(folder / '__init__.py')}.",
            ]
            lines += ["", "| file | what |", "|---|---|"]
            lines += [f"| `{path.relative_to(ROOT).as_posix()}` | {first_words(path)} |" for path in modules]
            lines += [""]
    return "\n".join(lines)


def redrawn(page: str) -> str:
    """The page with today's map."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{draw()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(redrawn(PAGE.read_text("utf-8")), "utf-8")
