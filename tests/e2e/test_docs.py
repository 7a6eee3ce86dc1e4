"""Every command that README and the docs show is run here, as it is read from them."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Iterator

import pytest

from chromium import Chromium, Tab, eventually
from daemon import Daemon, free_port

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "examples/README.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMAND = re.compile(r"(?:\$ )?((?:any|scripts/\S+|curl|python3|pip|P=)(?:\s.*|\S*))$")

#: shown, but not run as they stand, each with its reason
NOT_RUN = {
    "scripts/quickstart.sh": "run by test_quickstart below, in full",
    "scripts/test.sh": "it is what runs this test",
    "pip install ./python": "pip fetches its build tools from a package index; tests/python runs the package from its folder",
    "any run x.js ─► POST /v1/tasks │ tasks.submit src/api checks the caller, reads the request strictly": "a drawing",
    "P=http://127.0.0.1:8780": "set by the test, to where its own daemon serves the pages",
}


def blocks(page: Path, language: str | None = None) -> Iterator[str]:
    for found in re.finditer(r"^```(\w*)\n(.*?)^```", page.read_text(), re.S | re.M):
        if language is None or found[1] == language:
            yield found[2]


def commands(page: Path) -> Iterator[str]:
    for block in blocks(page, ""):
        for line in block.splitlines():
            found = COMMAND.match(line)
            if not found:
                continue
            text = re.sub(r"\s+#\s.*$", "", found[1])
            parts = text.split("; ") if text.startswith("any ") else [text]
            yield from (re.sub(r"\s+", " ", part).strip() for part in parts)


SHOWN = [(page.relative_to(ROOT).as_posix(), command) for page in PAGES for command in dict.fromkeys(commands(page))]


@pytest.fixture(scope="module")
def shop(daemon: Daemon, browser: Chromium) -> Iterator[Tab]:
    """The tab that a person looks at."""
    page = browser.open(f"{daemon.pages}/shop.html")
    yield page
    page.close()


@pytest.fixture
def desk(binary: str, daemon: Daemon, tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """A folder with the files that the docs speak of, and an environment with `any` on the PATH."""
    for name in ("scrape.js", "fix.js", "script.js"):
        (tmp_path / name).write_text("return document.title")
    shutil.copy(ROOT / "examples/scripts/crawl.js", tmp_path / "crawl.js")
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/any").symlink_to(binary)
    programs = {"python3": f'exec {sys.executable} "$@"'}
    if not shutil.which("jq"):  # it only makes the output shorter
        programs["jq"] = "exec cat"
    for name, line in programs.items():
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{line}\n")
        (tmp_path / "bin" / name).chmod(0o755)
    env = daemon.env | {
        "PATH": f"{tmp_path}/bin:{os.environ['PATH']}",
        "XDG_DATA_HOME": str(tmp_path / "data"),
        "P": daemon.pages,
        "ANY_BINARY": binary,
    }
    return tmp_path, env


def bash(command: str, desk: tuple[Path, dict[str, str]], timeout: float = 60) -> subprocess.CompletedProcess[str]:
    folder, env = desk
    words = ["bash", "-o", "pipefail", "-c", command]
    return subprocess.run(words, cwd=folder, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout)


def test_the_docs_show_commands_and_every_exception_is_still_shown():
    shown = {command for _, command in SHOWN}
    assert len(shown) > 20
    assert NOT_RUN.keys() <= shown, "an exception for what is shown no more"


@pytest.mark.parametrize(("page", "command"), [each for each in SHOWN if each[1] not in NOT_RUN], ids=str)
def test_a_shown_command_works(page, command, desk, daemon, browser, shop):
    if command.startswith(("any serve", "any launch", "any logs -f")):
        return STAYS[command.split(" --")[0]](command, desk, daemon)
    shop.call("Page.bringToFront")
    shop_url = f"{daemon.pages}/shop.html"
    command = command.replace("https://shop.example/*", "http://127.0.0.1/*").replace("https://shop.example", shop_url)
    command = command.replace("http://127.0.0.1:8766", daemon.url)
    if re.search(r"\bID\b", command):
        script = "await any.sleep(60000)" if "cancel" in command else "return 'kept'"
        _, record = daemon.request("POST", "/v1/tasks", {"script": script, "tab": {"url": "http://127.0.0.1/*"}})
        command = re.sub(r"\bID\b", record["id"], command)
    done = bash(command, desk)
    assert done.returncode == 0, done.stdout + done.stderr
    if command.startswith("curl"):
        assert "error" not in json.loads(done.stdout) or json.loads(done.stdout)["error"] is None, done.stdout
    elif command.startswith(("any run", "any eval", "any result", "any tabs", "any browsers", "any task ", "any extension", "any doctor")):
        assert done.stdout.strip()


def stays_serve(command: str, desk: tuple[Path, dict[str, str]], daemon: Daemon) -> None:
    folder, env = desk
    port, pages = free_port(), free_port()
    # ports and a folder of the test's own
    words = [*command.replace("8780", str(pages)).split(), "--listen", f"127.0.0.1:{port}", "--state-dir", str(folder / "s"), "--compat-port", "0"]
    with subprocess.Popen(words, env=env, stderr=subprocess.DEVNULL) as process:
        try:
            eventually(lambda: bash(f"curl -s --noproxy '*' http://127.0.0.1:{pages}/ | grep -q shop.html", desk).returncode == 0, 20, "the pages are there")
        finally:
            process.terminate()
    assert process.returncode == 0


def stays_launch(command: str, desk: tuple[Path, dict[str, str]], daemon: Daemon) -> None:
    folder, env = desk
    with Daemon() as other:
        # headless: a test has no display
        done = bash(f"{command} --headless --profile {folder}/profile --daemon {other.url}", desk)
        pid = re.search(r"pid (\d+)", done.stderr)
        try:
            assert done.returncode == 0 and done.stdout == "Chromium\n", done.stderr
            assert other.health()["browsers"] == 1
        finally:
            if pid:
                os.killpg(int(pid[1]), signal.SIGKILL)


def stays_logs(command: str, desk: tuple[Path, dict[str, str]], daemon: Daemon) -> None:
    folder, env = desk
    with subprocess.Popen(command.split(), env=env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            assert re.match(r"\d{4}-\d\d-\d\dT\S+Z (info|warn|debug|error)", process.stdout.readline())
        finally:
            process.terminate()


STAYS = {"any serve": stays_serve, "any launch": stays_launch, "any logs -f": stays_logs}


def test_the_script_of_the_readme_runs(desk, cli, daemon, shop):
    (script,) = blocks(ROOT / "README.md", "js")
    (desk[0] / "readme.js").write_text(script)
    done = bash("any run readme.js --open $P/shop.html", desk)
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)) > 3 and "progress" in done.stderr


@pytest.mark.parametrize("page", ["README.md", "docs/python.md"])
def test_the_python_of_the_docs_runs(page, desk, daemon, browser, shop):
    shop.call("Page.bringToFront")
    ran = 0
    for code in blocks(ROOT / page, "python"):
        start = f"url = {daemon.pages + '/articles/1.html'!r}\nurls = [url]\n"
        done = subprocess.run([sys.executable, "-c", start + code], cwd=desk[0], env=desk[1], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, code + done.stderr
        ran += 1
    assert ran


@pytest.fixture
def bare() -> Iterator[Path]:
    """A folder whose name is short enough for the sockets that Chromium makes in it."""
    with tempfile.TemporaryDirectory(prefix="qs", dir="/tmp") as folder:
        (Path(folder) / "home").mkdir()
        (Path(folder) / "tmp").mkdir()
        yield Path(folder)


def test_quickstart(bare):
    """From the clone to a result, and nothing left behind."""
    home, temporary = bare / "home", bare / "tmp"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANY_")}
    # the compiler's cache is the machine's own
    cache = {"CCACHE_DIR": os.environ.get("CCACHE_DIR", str(Path.home() / ".cache/ccache"))}
    env = kept | cache | {"HOME": str(home), "TMPDIR": str(temporary)}
    done = subprocess.run(["scripts/quickstart.sh"], cwd=ROOT, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr[-3000:]
    facts = json.loads(done.stdout)
    assert facts["title"] == "The Paper Shop" and facts["url"].endswith("/shop.html")
    for words in ("What just happened", "any extension", "chrome://extensions", "Load unpacked", "any doctor"):
        assert words in done.stderr
    assert list(temporary.iterdir()) == []
    # Chromium's children end by themselves, a moment after it
    eventually(lambda: processes_with(str(bare)) == [], 15, "nothing is left running")
    assert [str(path) for path in home.rglob("*") if path.is_file()] == []


def processes_with(text: str) -> list[str]:
    """The command lines and environments of living processes that name that text."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            if text.encode() in (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes():
                found.append((entry / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found
