"""The report: complete, honest about protocols, and independent of anything outside its file."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ladi.commands.evaluate import read_extra
from ladi.commands.main import main
from ladi.evaluation.report import charts
from ladi.evaluation.report.published import beside, differences, read_published
from ladi.setting_row import read_size
from ladi.types import LadiError
from tests.evaluation.conftest import Evaluate

LOADING = {"src", "href", "srcset", "poster", "data", "action", "background", "xlink:href"}
VOID = {"meta", "img", "br", "link", "input"}


class Page(HTMLParser):
    """Collects what a page would load, its headings, its pictures, and tags that are not closed."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.headings: list[str] = []
        self.without_words: list[str] = []
        self.open: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.loaded += [str(value) for name, value in attrs if name in LOADING]
        self.ids += [str(value) for name, value in attrs if name == "id"]
        if tag in ("h1", "h2", "h3", "h4"):
            self.headings.append(tag)
        if tag == "img" and not found.get("alt"):
            self.without_words.append(str(found))
        if tag not in VOID and tag not in ("script",):
            self.open.append(tag)
        assert tag not in ("script", "iframe", "object", "embed", "link")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def page(evaluated: Evaluate, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A report of both orders, with an ablation."""
    out = tmp_path_factory.mktemp("report")
    evaluated(out=out, with_ablation=True, ablation_limit=2)
    evaluated(out=out, order="unpaired")
    return (out / "report.html").read_text()


def test_the_report_loads_nothing_from_anywhere(page: str) -> None:
    """Prevents: a page that tells others when it is read, or that is empty without a network."""
    found = Page()
    found.feed(page)
    assert found.open == []
    outside = [value for value in found.loaded if not value.startswith(("data:image/jpeg;base64,", "#"))]
    assert outside == []
    assert "@import" not in page and not re.search(r"url\(", page)


def test_the_report_can_be_read_by_anybody(page: str) -> None:
    """Prevents: pictures without words, headings that skip a level, links to nowhere, no width for phones."""
    found = Page()
    found.feed(page)
    assert found.without_words == []
    assert found.headings[0] == "h1" and found.headings.count("h1") == 1
    levels = [int(heading[1]) for heading in found.headings]
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False))
    assert {value[1:] for value in found.loaded if value.startswith("#")} <= set(found.ids)
    assert len(found.ids) == len(set(found.ids))
    assert 'name="viewport"' in page and "prefers-color-scheme: dark" in page and 'lang="en"' in page


def test_the_report_holds_tables_charts_pictures_and_protocol_of_both_orders(page: str) -> None:
    """Prevents: a part that is silently missing."""
    for text in ("Paired order", "Unpaired order", "Ablation over the first 2 pairs", "Results by slice"):
        assert text in page
    for text in ("Worst 3", "Random 3", "Failures by cause", "Published numbers", "Protocol, unpaired"):
        assert text in page
    assert page.count('<svg class="interval') > 20 and 'class="chart"' in page
    assert "error inside the mask not computed: unpaired pairs have no truth" in page
    assert "data:image/jpeg;base64," in page


def test_names_from_data_cannot_become_markup(run: Evaluate, tmp_path: Path) -> None:
    """Prevents: a folder's name that runs a script in the reader's browser."""
    folder = tmp_path / "<script>alert(1)</script>"
    folder.mkdir(parents=True)
    run(out=tmp_path / "first")
    for picture in (tmp_path / "first" / "paired" / "full").glob("*.png"):
        (folder / picture.name).write_bytes(picture.read_bytes())
    run(pictures=folder, model=None)
    assert "<script>" not in (tmp_path / "out" / "report.html").read_text()


OURS = {
    "dataset": "VITON-HD",
    "split": "test",
    "pairs": "2032",
    "size": "at 1024",
    "ssim": "a",
    "lpips": "b",
    "fid": "c",
    "outside the mask": "d",
    "masks": "e",
}


def test_differing_protocols_are_warned_of_one_by_one() -> None:
    """Prevents: numbers side by side that cannot be compared, and warnings of what does not matter."""
    entry = {
        "method": "m",
        "dataset": "VITON-HD",
        "split": "test",
        "protocol": {
            "size": "at 1024",
            "ssim": "a",
            "lpips": "b",
            "fid": "c",
            "outside the mask": "d",
            "masks": "e",
        },
        "paired": {"SSIM": 0.9, "FID": 5.0},
        "source": "s",
    }
    assert differences(entry, "paired", OURS) == []
    assert differences(entry, "paired", {**OURS, "size": "512×384"}) == ["size: at 1024; ours 512×384"]
    assert differences(entry, "paired", {**OURS, "lpips": "other"}) == []
    other = {**OURS, "dataset": "shards", "split": "val", "pairs": "100"}
    assert len(differences(entry, "paired", other)) == 2
    silent = {**entry, "protocol": {**entry["protocol"], "masks": None}}
    assert differences(silent, "paired", OURS) == ["masks: not stated there; ours e"]


def test_every_published_number_has_method_dataset_protocol_and_source() -> None:
    """Prevents: a number whose origin nobody remembers."""
    entries = read_published()
    assert entries
    for entry in entries:
        assert entry["method"] and entry["dataset"] and entry["split"] and "arXiv" in entry["source"]
        assert set(entry["protocol"]) == {"size", "ssim", "lpips", "fid", "outside the mask", "masks"}
        assert entry.get("paired") or entry.get("unpaired")
    assert all(entry["warnings"] for entry in beside("paired", {**OURS, "size": "256×192"}))


def test_charts_say_in_words_what_they_show() -> None:
    """Prevents: a chart that is nothing to a reader who cannot see it, or that breaks on equal values."""
    assert 'aria-label="error of 3 pairs, from 0.100 to 0.300, median 0.200"' in charts.histogram(
        [0.1, 0.2, 0.3], "error"
    )
    assert charts.histogram([0.1, 0.1, 0.1], "error").count("<rect") == 1
    assert charts.points([(0.5, 1), (0.5, 1)], ("a", "b"), "words", 0.5).count("<circle") == 2
    scale = charts.scale_of([(0.2, 0.1, 0.3)])
    assert scale is not None and scale.place(scale.low) == 0 and scale.place(scale.high) == 100
    assert charts.scale_of([]) is None


def test_the_command_evaluates_and_prints_protocol_and_table(
    model: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Prevents: flags that do not reach the evaluation."""
    words = ["evaluate", str(model), "--data", str(data), "--out", str(tmp_path / "out"), "--limit", "2"]
    words += ["--steps", "1", "--guidance", "1", "--device", "cpu", "--metrics", "ssim", "--no-causes"]
    assert main(words) == 0
    printed = capsys.readouterr().out
    assert "| full |" in printed and "- pairs: 2" in printed and "report.html" in printed
    assert main([*words, "--stage", "report"]) == 0
    assert main(["evaluate", str(model), "--data", str(tmp_path), "--device", "cpu"]) == 2
    assert "no data set" in capsys.readouterr().err


def test_sizes_and_further_data_are_read_from_words() -> None:
    """Prevents: height and width exchanged; a folder with an equals sign."""
    assert read_size("512x384") == (512, 384)
    extra = read_extra("hd=/data/a=b@1024x768")
    assert (extra.name, str(extra.folder), extra.size) == ("hd", "/data/a=b", (1024, 768))
    assert read_extra("hd=/data").size is None
    for wrong in ("hd", "=x", "../up=/data"):
        with pytest.raises(LadiError, match="--extra takes NAME=DIR"):
            read_extra(wrong)
    with pytest.raises(LadiError, match="size must be height by width"):
        read_size("512")
