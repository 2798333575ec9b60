"""The wheel holds all of the product, and works where there is no checkout."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import time
import venv
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import DEMO, ROOT, made_once
from tests.fixtures import unpack
from tests.running import free_port

pytestmark = pytest.mark.timeout(900)  # the machine may have other work
PACKAGES = ("bot", "knowledge_base", "ui")


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel, built from the files that git knows of."""

    def make(folder: Path) -> None:
        source = folder / "source"
        for name in _tracked("."):
            target = source / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target)
        _run(
            *(sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--quiet"),
            *("--wheel-dir", str(folder), str(source)),
            cwd=folder,
        )

    folder = made_once(tmp_path_factory, "wheel", make)
    (built,) = folder.glob("careline-*.whl")
    return built


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of commands of an environment that has the wheel, and no checkout."""

    def make(folder: Path) -> None:
        venv.create(folder / "venv", with_pip=False)
        _run(
            *(sys.executable, "-m", "pip", "--python", str(folder / "venv" / "bin" / "python")),
            *("install", "--no-deps", "--no-index", "--quiet", str(wheel)),
            cwd=folder,
        )
        own = Path(sysconfig.get_path("purelib", vars={"base": str(folder / "venv")}))
        # The dependencies are those this test runs with. A .pth file among them, such as the one
        # that names the checkout, is not read there.
        (own / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n", "utf-8")

    return made_once(tmp_path_factory, "installed", make) / "venv" / "bin"


def _tracked(*places: str) -> list[str]:
    done = _run("git", "ls-files", "-z", "--", *places, cwd=ROOT)
    return [name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


def _run(*words: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        words,
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        env={**_environment(), **environment},
    )
    assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done


def _environment() -> dict[str, str]:
    """Return the environment without what would lead to the checkout."""
    mine = {"PYTHONPATH", "VIRTUAL_ENV"}
    return {name: value for name, value in os.environ.items() if name not in mine}


def test_the_wheel_holds_every_file_of_the_product(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    wanted = set(_tracked(*PACKAGES))
    assert len(wanted) > 200
    assert not sorted(wanted - held)
    assert {name.split("/")[0] for name in held} <= {*PACKAGES, _info(held)}


def _info(held: set[str]) -> str:
    (name,) = {name.split("/")[0] for name in held if ".dist-info/" in name}
    return name


def test_an_installed_careline_answers(installed: Path, tmp_path: Path) -> None:
    old, empty = unpack(tmp_path / "old"), tmp_path / "empty"
    empty.mkdir()
    where = (
        "import bot, knowledge_base, ui; print(*(p.__file__ for p in (bot, knowledge_base, ui)))"
    )
    files = _run(str(installed / "python"), "-c", where, cwd=empty).stdout.split()
    assert len(files) == 3
    for file in files:
        assert Path(file).is_relative_to(installed.parent.resolve()), file
    asked = ("ask", "how long is the warranty on tents?", "--home", str(old.path), "--json")
    for command in ([str(installed / "careline")], [str(installed / "python"), "-m", "bot.cli"]):
        turn = json.loads(_run(*command, *asked, cwd=empty).stdout)
        assert (turn["route"], turn["intent"]) == ("retrieve", "warranty")
        assert turn["reply"]["citations"]


@pytest.mark.slow
def test_an_installed_careline_trains_answers_and_serves(installed: Path, tmp_path: Path) -> None:
    old, empty, home = unpack(tmp_path / "old"), tmp_path / "empty", tmp_path / "home"
    empty.mkdir()
    shutil.rmtree(old.path.parent / "cache" / "engines")
    settings = {"CARELINE_CACHE": str(old.path.parent / "cache"), "CARELINE_ENGLISH_BASE": ""}

    def careline(*words: str) -> Any:
        done = _run(str(installed / "careline"), *words, "--json", cwd=empty, **settings)
        return json.loads(done.stdout)

    assert careline("init", str(home)) == {"home": str(home)}
    examples = _fill(home)
    trained = careline("train", str(examples), "--method", "head", "--home", str(home))
    assert (trained["intents"], trained["engine"]) == (4, "onnxruntime-int8")
    assert careline("ingest", "--home", str(home))["documents"] == 2
    turn = careline("ask", "how do I wash my rain jacket?", "--home", str(home))
    assert (turn["route"], turn["reply"]["citations"][0]["article"]) == (
        "retrieve",
        "care-rain-jackets.md",
    )
    assert careline("verify", turn["message_id"], "--home", str(home))["equal"]
    _serve(installed, home, empty, settings)


def _fill(home: Path) -> Path:
    """Give a home two articles and a policy; return a file with a few examples of four intents."""
    for name in ("care-rain-jackets.md", "warranty-terms.md"):
        shutil.copy(DEMO / "kb" / "en" / name, home / "kb" / name)
    policy = "version: 1\nroutes: {product_care: retrieve, warranty: retrieve, human: handoff}\n"
    (home / "policy.yml").write_text(policy, encoding="utf-8")
    rows = (DEMO / "dialogs" / "utterances.csv").read_text(encoding="utf-8").splitlines()
    chosen = ["text,intent"]
    for intent in ("product_care", "warranty", "human", "greeting", "oos"):
        chosen += [row for row in rows if row.endswith(f",{intent}")][:40]
    examples = home / "examples.csv"
    examples.write_text("\n".join(chosen), encoding="utf-8")
    return examples


def _serve(installed: Path, home: Path, cwd: Path, settings: dict[str, str]) -> None:
    """Serve with two processes, which import the application by its name, and ask for pages."""
    port, output = free_port(), cwd / "serve.out"
    with output.open("wb") as log:
        server = subprocess.Popen(
            [
                installed / "careline",
                "serve",
                "--home",
                home,
                "--port",
                str(port),
                "--workers",
                "2",
            ],
            cwd=cwd,
            stdout=log,
            stderr=log,
            env={**_environment(), **settings},
        )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=300) as api:
            _wait(api, server, output)
            assert api.get("/healthz").status_code == 200
            turn = api.post("/api/messages", json={"text": "how long is the warranty?"}).json()
            assert turn["reply"]["text"]
            assert "careline" in api.get("/widget.js").raise_for_status().text.lower()
            for page in ("/", "/login", "/docs"):
                assert "<html" in api.get(page).raise_for_status().text.lower(), page
    finally:
        server.terminate()
        server.wait(60)


def _wait(api: httpx.Client, server: subprocess.Popen[bytes], output: Path) -> None:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline and server.poll() is None:
        try:
            if api.get("/readyz").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    message = f"the server did not start:\n{output.read_text(encoding='utf-8')[-3000:]}"
    raise AssertionError(message)
