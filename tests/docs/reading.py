"""What README and docs tell people to type."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "assets" / "mini" / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
PROGRAM = re.compile(
    r"(accelerate|apt-get|docker|git|ladi(?= )|pip|python|pytest|ray|serve|\.ci/run)(?![\w./-])"
)


def blocks(page: Path, *languages: str) -> list[str]:
    """The code of a page's blocks in some languages; "" is for those that name none."""
    return [code for language, code in BLOCK.findall(page.read_text("utf-8")) if language in languages]


def commands() -> list[str]:
    """Every line of a block, or between single backticks, that starts a program; comments are left out."""
    found = []
    for page in PAGES:
        lines = [line for code in blocks(page, "", "sh") for line in code.splitlines()]
        lines += re.findall(r"(?<!`)`([^`\n]+)`(?!`)", page.read_text("utf-8"))
        found += [line.split("#")[0].strip() for line in lines if PROGRAM.match(line)]
    return list(dict.fromkeys(found))
