"""The server's flags, their environment variables, and the files that hosts read."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

import ladi
from app.serving.options import build_parser, parse
from ladi.commands.flags import running_of
from ladi.scale.cluster import Bounds

ROOT = Path(__file__).resolve().parents[2]

VARIABLES = {
    "HOST": ("host", "::1", "::1"),
    "PORT": ("port", "7000", 7000),
    "ROOT_PATH": ("root_path", "/tryon", "/tryon"),
    "SHARE": ("share", "1", True),
    "PUBLIC": ("public", "yes", True),
    "AUTH": ("auth", "anna:a:b\nben:c", [("anna", "a:b"), ("ben", "c")]),
    "AUTH_FILE": ("auth_file", "users.txt", None),
    "MCP": ("mcp", "1", True),
    "QUEUE_SIZE": ("queue_size", "5", 5),
    "VISITOR_LIMIT": ("visitor_limit", "3", 3),
    "DISK_LIMIT": ("disk_limit", "900", 900),
    "KEEP_MINUTES": ("keep_minutes", "7", 7),
    "MODEL": ("model", "x", "x"),
    "DEVICE": ("device", "cpu", "cpu"),
    "PRECISION": ("precision", "bf16", "bf16"),
    "LOW_MEMORY": ("low_memory", "1", True),
    "CONTENT_FILTER": ("content_filter", "1", "open-nsfw"),
    "CONTENT_THRESHOLD": ("content_threshold", "0.5", 0.5),
    "CONTENT_SEES": ("content_sees", "uploads", "uploads"),
    "RAY": ("ray", "auto", "auto"),
    "ENGINES": ("engines", "2-8", Bounds(2, 8)),
    "CPUS_PER_ENGINE": ("cpus_per_engine", "2", 2.0),
    "FAST_PREVIEWS": ("fast_previews", "1", True),
}
"""Each variable's flag, what is written into it, and what is read."""


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*(f"LADI_{name}" for name in VARIABLES), "SPACE_ID"]:
        monkeypatch.delenv(name, raising=False)


def test_every_flag_names_its_variable_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    """Prevents settings that a container cannot set, or that nobody is told of."""
    flags = [action for action in build_parser()._actions if action.dest != "help"]
    for action in flags:
        assert action.help is not None and f"LADI_{action.dest.upper()}" in action.help, action.dest
    assert {action.dest for action in flags} == {flag for flag, _, _ in VARIABLES.values()}
    with pytest.raises(SystemExit):
        parse(["--help"])
    shown = capsys.readouterr().out
    for name in VARIABLES:
        assert re.search(rf"\bLADI_{name}\b", shown), name


@pytest.mark.parametrize("name", sorted(set(VARIABLES) - {"AUTH_FILE"}))
def test_every_variable_is_read_and_its_flag_comes_first(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Prevents a container whose settings are ignored."""
    flag, written, read = VARIABLES[name]
    assert getattr(parse([]), flag) != read
    monkeypatch.setenv(f"LADI_{name}", written)
    assert getattr(parse([]), flag) == read
    if read is True:
        monkeypatch.setenv(f"LADI_{name}", "no")
        assert getattr(parse([]), flag) is False
    elif name == "PORT":
        assert parse(["--port", "7001"]).port == 7001
    elif name == "AUTH":
        assert parse(["--auth", "carl:d"]).auth == [("carl", "d")]


def test_a_cluster_is_named_started_or_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prevents a page that computes elsewhere than it was told."""
    assert parse([]).ray is None and parse(["--ray"]).ray == "local"
    assert parse(["--ray", "10.0.0.1:6379", "--engines", "4"]).engines == Bounds(1, 4)
    assert parse(["--ray", "auto"]).engines == Bounds(1, None)
    for said, read in (("yes", "local"), ("no", None), ("", None)):
        monkeypatch.setenv("LADI_RAY", said)
        assert parse([]).ray == read


def test_users_may_stand_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Prevents passwords on the command line from being the only way."""
    users = tmp_path / "users.txt"
    users.write_text("# who may come\nanna:one\n\n  ben:two:three \n")
    monkeypatch.setenv("LADI_AUTH_FILE", str(users))
    assert parse([]).auth == [("anna", "one"), ("ben", "two:three")]
    assert parse(["--auth", "carl:x"]).auth == [("carl", "x"), ("anna", "one"), ("ben", "two:three")]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--port", "70000"), "a port is a number from 1 to 65535, got '70000'"),
        (("--engines", "8-2"), "must be auto, a number from 1 to 1000, or two such as 2-8, got '8-2'"),
        (("--engines", "many"), "must be auto, a number from 1 to 1000, or two such as 2-8, got 'many'"),
        (("--cpus-per-engine", "0"), "must be a whole number from 1, got '0'"),
        (("--queue-size", "0"), "a whole number from 1 is needed, got '0'"),
        (("--keep-minutes", "1.5"), "a whole number from 1 is needed, got '1.5'"),
        (("--visitor-limit", "many"), "a whole number from 1 is needed"),
        (("--auth", "opensesame"), "user:password, with a colon"),
        (("--auth", "anna:opensesame", "--auth", "anna:b"), "a user is named twice"),
        (("--auth", "anna:"), "user:password, with a colon"),
        (("--auth", "anna:opensesame", "--mcp"), "MCP has no logins"),
        (("--auth-file", "/nowhere/users"), "No such file"),
        (("--auth-file", "/dev/null"), "names no user"),
    ],
    ids=str,
)
def test_bad_settings_are_refused_in_one_line(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], sentence: str
) -> None:
    """Prevents tracebacks, a page that is open to all by a mistake, and passwords in a log."""
    with pytest.raises(SystemExit) as stop:
        parse(words)
    err = capsys.readouterr().err
    assert stop.value.code == 2 and err.count("\n") == 1
    assert sentence.lower() in err.lower() and "opensesame" not in err


def test_a_bad_variable_is_refused_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Prevents a mistyped variable from being used as it is."""
    monkeypatch.setenv("LADI_QUEUE_SIZE", "lots")
    with pytest.raises(SystemExit):
        parse([])
    assert "got 'lots'" in capsys.readouterr().err


def test_public_pages_have_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prevents a Space that one visitor can fill, and defaults that override what was asked for."""
    assert (parse([]).host, parse([]).visitor_limit) == (None, None)
    monkeypatch.setenv("SPACE_ID", "somebody/try-on")
    assert (parse([]).host, parse([]).visitor_limit) == ("0.0.0.0", 2)
    asked = parse(["--host", "10.0.0.1", "--visitor-limit", "9"])
    assert (asked.host, asked.visitor_limit) == ("10.0.0.1", 9)


def pins(file: str = "requirements.txt") -> dict[str, str]:
    lines = (ROOT / file).read_text().splitlines()
    return dict(line.split("==") for line in lines if "==" in line and not line.startswith("#"))


def test_the_readme_makes_this_repository_a_space() -> None:
    """Prevents a Space that is built with other versions than were tested, or not at all."""
    _, front, _ = (ROOT / "README.md").read_text("utf-8").split("---\n", 2)
    told = yaml.safe_load(front)
    assert told["sdk"] == "gradio" and told["sdk_version"] == pins()["gradio"]
    project = (ROOT / "pyproject.toml").read_text()
    low, high = re.search(r'requires-python = ">=3\.(\d+),<3\.(\d+)"', project).groups()  # type: ignore[union-attr]
    assert isinstance(told["python_version"], str)  # 3.10 would be a number
    assert int(low) <= int(told["python_version"].removeprefix("3.")) < int(high)
    assert (ROOT / told["app_file"]).is_file() and (ROOT / "packages.txt").is_file()
    assert told["license"] == "apache-2.0" and "Apache License" in (ROOT / "LICENSE").read_text()
    assert len(told["short_description"]) <= 60  # the hub refuses more


def test_the_tools_are_tested_with_what_gradio_asks_for() -> None:
    """Prevents tests of MCP that are skipped, or run with versions that nobody who installs it gets."""
    tested = pins("requirements-dev.txt")
    wanted = [Requirement(line) for line in metadata.requires("gradio") or ()]
    extra = [one for one in wanted if one.marker and one.marker.evaluate({"extra": "mcp"})]
    assert {one.name for one in extra if not one.marker.evaluate({"extra": ""})} <= set(tested)  # type: ignore[union-attr]
    assert all(one.specifier.contains(tested[one.name]) for one in extra if one.name in tested)
    told = (ROOT / "docs" / "api.md").read_text("utf-8")
    assert f"pip install 'gradio[mcp]=={pins()['gradio']}'" in told


def test_the_version_is_the_projects() -> None:
    """Prevents a health endpoint that tells an old version."""
    assert f'version = "{ladi.__version__}"' in (ROOT / "pyproject.toml").read_text()


def test_the_dockerfile_fits_the_repository() -> None:
    """Prevents an image that cannot be built or answers nobody; it is read here, not built."""
    text = (ROOT / "Dockerfile").read_text()
    ignored = (ROOT / ".dockerignore").read_text().split()
    for line in re.findall(r"^COPY (.+)$", text, re.MULTILINE):
        for name in line.split()[:-1]:
            assert (ROOT / name).exists() and name not in ignored, name
    copied = {name for line in re.findall(r"^COPY (.+)$", text, re.MULTILINE) for name in line.split()[:-1]}
    assert {"app.py", "app", "ladi", "assets", "requirements.txt", "packages.txt", "LICENSE"} <= copied
    for name in re.findall(r"\bLADI_(\w+)=", text):
        assert name in VARIABLES, name
    assert re.search(r"^USER (?!root)", text, re.MULTILINE)
    assert re.search(r"^HEALTHCHECK [^\n]*(\\\n[^\n]*)*/health", text, re.MULTILINE)
    assert "cpu)" in text and "cuda)" in text and "xargs -a packages.txt" in text


@pytest.mark.parametrize(
    ("flags", "network"),
    [
        ([], None),
        (["--public"], "open-nsfw"),
        (["--public", "--content-filter", "off"], "off"),
        (["--public", "--content-filter", "no"], "off"),
        (["--content-filter"], "open-nsfw"),
        (["--content-filter", "safety-checker"], "safety-checker"),
    ],
)
def test_a_public_page_has_a_filter_unless_told_otherwise(flags: list[str], network: str | None) -> None:
    """Prevents strangers' nudity on a page whose host has thought of nothing."""
    options = parse(flags)
    assert options.content_filter == network
    choice = running_of(options)["content_filter"]
    assert (choice and choice.network) == (None if network in (None, "off") else network)


@pytest.mark.parametrize(
    "flags", [["--content-filter", "perhaps"], ["--content-threshold", "2"], ["--content-sees", "nothing"]]
)
def test_a_filter_that_there_is_not_is_refused(flags: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Prevents a filter that is thought to be on."""
    with pytest.raises(SystemExit):
        parse(flags)
    assert flags[1] in capsys.readouterr().err
