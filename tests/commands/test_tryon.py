"""The command: what it writes, what it refuses, and with which exit code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

from ladi.commands.main import build_parser, main
from ladi.commands.tryon import read_request
from ladi.engine import Engine
from ladi.models.matting import GarmentMatting
from ladi.models.parser import HumanParser
from ladi.preprocess.photo import read_photo
from ladi.runtime.devices import choose_running
from ladi.settings import Settings, Switches, TryOnRequest
from ladi.types import PhotoError
from tests.bad_files import BAD_FILES
from tests.toy import HEIGHT, WIDTH, toy_pipeline

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    Image.fromarray(data.astronaut()[:, 40:424]).save(folder / "person.png")
    shirt = np.full((256, 192, 3), 255, np.uint8)
    shirt[40:220, 50:142] = (40, 60, 160)
    shirt[50:110, 16:176] = (40, 60, 160)
    Image.fromarray(shirt).save(folder / "garment.png")
    for name in ("text.jpg", "truncated.jpg"):
        (folder / name).write_bytes(BAD_FILES[name].content())
    return folder


@pytest.fixture(scope="module")
def toy_engine() -> Engine:
    torch.manual_seed(0)
    parser = HumanParser(height=HEIGHT, width=WIDTH, widths=(8, 8)).eval()
    matting = GarmentMatting(height=HEIGHT, width=WIDTH, widths=(8, 8)).eval()
    return Engine(toy_pipeline(), parser, matting)


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch, toy_engine: Engine) -> list[str]:
    """Real networks at toy size under every model's name; the names that were loaded."""
    loaded: list[str] = []

    def load(
        model: str = "mini",
        *,
        device: str | None,
        precision: str,
        low_memory: bool,
        content_filter: bool,
    ) -> Engine:
        assert not content_filter  # off unless asked for
        choose_running(device, precision, low_memory=low_memory)
        loaded.append(model)
        return toy_engine

    monkeypatch.setattr(Engine, "load", load)
    monkeypatch.setattr("ladi.weights.catalog.find_model", lambda model: Path(model))
    return loaded


def command(pictures: Path, out: Path, *options: str, person: str = "person.png") -> list[str]:
    files = [str(pictures / person), str(pictures / "garment.png")]
    return ["tryon", *files, "--out", str(out), *options]


def test_a_photo_and_a_garment_become_a_picture(
    toy: list[str], pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Prevents a command that computes and then does not write what was asked for."""
    out, parts = tmp_path / "result.png", tmp_path / "parts"
    options = ("--seed", "3", "--steps", "2", "--timings", "--pictures", "2", "--save-parts", str(parts))
    assert main(command(pictures, out, *options)) == 0
    said = capsys.readouterr().out
    assert "seed 3" in said and "seed 4" in said and "denoise" in said and "total" in said
    assert "upper_body, embedded parser" in said
    assert {path.name for path in tmp_path.iterdir()} == {"result.png", "result-2.png", "parts"}
    assert np.asarray(Image.open(out)).shape == (512, 384, 3)
    written = {path.stem for path in parts.iterdir()}
    assert {"mask", "pose", "masked-person", "garment-fitted", "generated-2"} <= written
    assert Image.open(parts / "mask.png").size == (WIDTH, HEIGHT)
    layers = [Image.open(path) for path in parts.glob("layer-*.png")]
    assert layers and all(one.mode == "RGBA" and one.size[0] % WIDTH == 0 for one in layers)


def test_every_option_reaches_the_request(pictures: Path) -> None:
    """Prevents an option that is parsed and then forgotten."""
    plain = read_request(build_parser(["tryon"]).parse_args(command(pictures, Path("r.png"))))
    defaults = TryOnRequest(plain.person, plain.garment)
    assert (plain.settings, plain.category) == (defaults.settings, defaults.category)
    assert (plain.mask_rule, plain.mask_grow, plain.clean_garment) == ("worn", 0, "auto")
    words = (
        "--category dresses --seed 3 --steps 9 --guidance 2.5 --pictures 2 --no-emasc --no-pseudo-words "
        "--no-warped-garment --no-pose --no-garment-skips --cloth-cond-rate 0.5 --mask-grow -3 "
        "--mask-rule published --garment-background keep --no-fine-detail --repaint-all --feather 2 "
        "--no-paste-back --size 512x384"
    )
    options = build_parser(["tryon"]).parse_args(command(pictures, Path("r.png"), *words.split()))
    request = read_request(options)
    assert request.settings == Settings(
        steps=9,
        guidance=2.5,
        seed=3,
        pictures=2,
        switches=Switches(False, False, False, False, False, cloth_cond_rate=0.5),
        paste_back=False,
        fine_detail=False,
        keep_unchanged=False,
        feather=2.0,
        size=(512, 384),
    )
    assert (request.category, request.mask_rule) == ("dresses", "published")
    assert (request.mask_grow, request.clean_garment) == (-3, "keep")


@pytest.mark.parametrize("option", ["--out", "--save-parts"])
def test_a_name_too_long_is_refused_before_anything_is_computed(
    toy: list[str], pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    """Prevents a traceback, or a lost picture, after a long computation."""
    long = str(tmp_path / f"{'é' * 300}.png")
    places = {"--out": str(tmp_path / "r.png")} | {option: long}
    words = [str(pictures / "person.png"), str(pictures / "garment.png")]
    assert main(["tryon", *words, *(word for pair in places.items() for word in pair)]) == 2
    said = capsys.readouterr().err
    assert ("too long" in said or "cannot be made" in said) and said.count("\n") == 1
    assert not toy and not list(tmp_path.iterdir())


def test_a_mask_from_a_file_reaches_the_request(pictures: Path, tmp_path: Path) -> None:
    """Prevents a mask that is read and then forgotten."""
    box = np.zeros((512, 384), np.uint8)
    box[200:300, 100:200] = 255
    Image.fromarray(box).save(tmp_path / "mask.png")
    options = build_parser(["tryon"]).parse_args(
        command(pictures, Path("r.png"), "--mask", str(tmp_path / "mask.png"))
    )
    mask = read_request(options).mask
    assert mask is not None and (mask > 0).tolist() == (box > 0).tolist()


@pytest.mark.parametrize("place", ["person", "garment"])
def test_a_bad_file_is_refused_in_one_sentence(
    toy: list[str],
    pictures: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    place: str,
) -> None:
    """Prevents tracebacks, wrong exit codes and half-written results."""
    files = {"person": "person.png", "garment": "garment.png"} | {place: "truncated.jpg"}
    with pytest.raises(PhotoError) as expected:
        read_photo(pictures / "truncated.jpg")
    words = ["tryon", *(str(pictures / file) for file in files.values()), "--out", str(tmp_path / "r.png")]
    assert main(words) == 2
    assert capsys.readouterr().err == f"{expected.value}\n"
    assert not list(tmp_path.iterdir()) and not toy


def test_a_garment_as_the_person_is_refused(
    toy: list[str], pictures: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Prevents painting where nobody is, and the detectors' chatter beside the sentence."""
    assert main(command(pictures, tmp_path / "r.png", person="garment.png")) == 2
    err = capfd.readouterr().err
    assert "person" in err and err.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--steps", "0"), "steps"),
        (("--steps", "10000"), "steps"),
        (("--steps", "many"), "--steps"),
        (("--guidance", "nan"), "guidance"),
        (("--guidance", "inf"), "guidance"),
        (("--seed", "-1"), "seed"),
        (("--pictures", "99"), "pictures"),
        (("--cloth-cond-rate", "2"), "cloth_cond_rate"),
        (("--mask-grow", "500"), "mask_grow"),
        (("--category", "hats"), "category must be auto, upper_body"),
        (("--category", "dresses"), "choose the model dresscode"),
        (("--size", "large"), "such as 512x384"),
        (("--size", "300x225"), "multiple of 64"),
        (("--precision", "int8"), "precision must be auto, fp32, fp16 or bf16"),
        (("--precision", "fp16", "--device", "cpu"), "fp16 is not usable on this CPU"),
        (("--frobnicate",), "--frobnicate"),
    ],
    ids=str,
)
def test_a_bad_setting_is_refused_before_the_model_is_loaded(
    toy: list[str],
    pictures: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, ...],
    sentence: str,
) -> None:
    """Prevents waiting for a computation that cannot succeed, and argparse's usage for a sentence."""
    try:
        code = main(command(pictures, tmp_path / "r.png", *options))
    except SystemExit as stop:
        code = int(stop.code or 0)
    err = capsys.readouterr().err
    assert code == 2 and sentence in err and err.count("\n") == 1
    assert not list(tmp_path.iterdir()) and not toy


def test_a_refused_garment_is_used_where_that_is_insisted_on(
    toy: list[str], pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Prevents a refusal that names --force, which then changes nothing."""
    Image.new("RGB", (192, 256), (40, 60, 160)).save(tmp_path / "plain.png")
    out = tmp_path / "r.png"
    words = ["tryon", str(pictures / "person.png"), str(tmp_path / "plain.png"), "--out", str(out)]
    assert main(words) == 2
    said = capsys.readouterr().err
    assert "No garment was found" in said and "--force" in said and not out.exists()
    assert main([*words, "--force"]) == 0
    assert "warning: No garment was found" in capsys.readouterr().err and out.exists()


def test_an_unknown_model_is_refused(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Prevents a traceback, or a download, for a mistyped name."""
    assert main(command(pictures, tmp_path / "r.png", "--model", "maxi")) == 2
    assert "'maxi' is unknown: choose mini" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("out", "sentence"),
    [
        ("missing/r.png", "does not exist"),
        ("folder", "ends in .png"),
        ("folder.png", "names a folder"),
        ("r.jpg", "ends in .png"),
        ("/proc/r.png", "cannot be written"),
        ("\ud800.png", "this system's encoding lacks"),
    ],
    ids=ascii,
)
def test_a_place_that_cannot_be_written_is_refused_first(
    toy: list[str],
    pictures: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    out: str,
    sentence: str,
) -> None:
    """Prevents losing a finished picture because its folder does not exist."""
    if out.startswith("/proc") and not Path("/proc").is_dir():
        pytest.skip("no /proc here to stand for an unwritable folder")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder.png").mkdir()
    assert main(command(pictures, tmp_path / out)) == 2
    assert sentence in capsys.readouterr().err
    assert not toy


def test_the_inputs_are_never_replaced(
    toy: list[str], pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Prevents losing one's photo by naming it twice."""
    before = (pictures / "person.png").read_bytes()
    assert main(command(pictures, pictures / "person.png")) == 2
    assert "would replace" in capsys.readouterr().err
    assert (pictures / "person.png").read_bytes() == before


def test_the_process_exits_with_two_and_one_sentence(pictures: Path, tmp_path: Path) -> None:
    """Prevents a difference between the function and the real process, and seconds of waiting for it."""
    words = command(pictures, tmp_path / "r.png", person="text.jpg")
    done = subprocess.run(
        [sys.executable, "-m", "ladi", *words], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.count("\n") == 1 and "Traceback" not in done.stderr
