"""The examples of docs/api.md, run as they stand against a served page."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.ui.fake import FakeEngine

ROOT = Path(__file__).resolve().parents[2]


def snippet(language: str, address: str) -> str:
    """The one block of a language, with the page's address of this test."""
    [code] = re.findall(rf"```{language}\n(.*?)```", (ROOT / "docs" / "api.md").read_text("utf-8"), re.DOTALL)
    assert "http://127.0.0.1:7860" in code
    return code.replace("http://127.0.0.1:7860", address.rstrip("/"))


def test_the_python_example_works(address: str, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prevents documentation that an endpoint has left behind."""
    monkeypatch.chdir(ROOT)
    names: dict[str, object] = {}
    exec(compile(snippet("python", address), "api.md", "exec"), names)
    assert Path(str(names["result"])).is_file() and names["seed"] == "1"
    assert engine.requests[0].settings.steps == 2


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("bash")), reason="needs curl and bash")
def test_the_curl_example_works(address: str, engine: FakeEngine) -> None:
    """Prevents the same for those who call without Python."""
    code = snippet("bash", address)
    run = subprocess.run(["bash", "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert "event: complete" in run.stdout, run.stdout + run.stderr
    assert engine.requests[0].settings.seed == 1
