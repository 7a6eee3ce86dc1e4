"""docs/configuration.md is true: it has every setting, and file, variable and flag overrule each other as it says."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from daemon import BINARY, REPOSITORY, Daemon

PAGE = (REPOSITORY / "docs/configuration.md").read_text()
#: key, variable, flag, default, meaning
ROWS = [
    [cell.strip().strip("`") for cell in line.split("|")[1:-1]]
    for line in re.split(r"^## ", PAGE, flags=re.M)[1].splitlines()
    if line.startswith("|")
][2:]
VARIABLES = {row[0]: row[1] for row in ROWS if row[0]}
#: those for which any text is one, or nearly
TEXTS = {"listen", "daemon", "state_dir", "allow_extension"}


def any_with(config: str, *words: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs `any` where config.toml holds that text."""
    (folder / "any").mkdir(exist_ok=True)
    (folder / "any/config.toml").write_text(config)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANY_")}
    own = {"XDG_CONFIG_HOME": str(folder), "XDG_STATE_HOME": str(folder / "state"), "XDG_DATA_HOME": str(folder / "data")}
    return subprocess.run([str(BINARY), *words], env=kept | own | variables, capture_output=True, text=True, timeout=60, check=False)


def test_each_key_that_the_daemon_knows_stands_in_the_table_and_no_other(tmp_path: Path) -> None:
    done = any_with("no_such_key = 1", "serve", folder=tmp_path)
    assert done.returncode == 2
    known = re.search(r"the settings are ([a-z_, ]+)\.", done.stderr)
    assert known, done.stderr
    assert sorted(row[0] for row in ROWS if row[0]) == sorted(known[1].split(", "))


def test_each_flag_of_any_serve_stands_in_the_table_and_no_other(tmp_path: Path) -> None:
    words = set(re.findall(r"--[a-z-]+", any_with("", "serve", "--help", folder=tmp_path).stdout))
    assert {row[2] for row in ROWS if row[2]} == words - {"--help"}


@pytest.mark.parametrize("key", sorted(VARIABLES.keys() - TEXTS))
def test_nonsense_in_a_variable_of_the_table_is_complained_of(key: str, tmp_path: Path) -> None:
    done = any_with("", "serve", folder=tmp_path, **{VARIABLES[key]: "//"})
    assert done.returncode == 2 and f"{VARIABLES[key]} in the environment" in done.stderr, done.stderr


@pytest.mark.parametrize("key", ["listen", "daemon"])
def test_the_variables_of_the_daemons_address_are_those_of_the_table(key: str, tmp_path: Path) -> None:
    done = any_with("", "extension", str(tmp_path / "x"), folder=tmp_path, **{VARIABLES[key]: "127.0.0.1:9001"})
    assert "looks for the daemon at http://127.0.0.1:9001" in done.stderr


def test_the_variable_of_the_state_folder_is_that_of_the_table(tmp_path: Path) -> None:
    named = tmp_path / "named"
    done = any_with("", "extension", str(tmp_path / "x"), folder=tmp_path, **{VARIABLES["state_dir"]: str(named)})
    assert done.returncode == 0 and named.is_dir(), done.stderr


def test_the_variable_of_further_extensions_is_that_of_the_table(tmp_path: Path) -> None:
    with Daemon(env={VARIABLES["allow_extension"]: "b" * 32}, state_dir=tmp_path / "state") as daemon:
        assert daemon.request("GET", "/health", headers={"Origin": "chrome-extension://" + "b" * 32})[0] == 200
        assert daemon.request("GET", "/health", headers={"Origin": "chrome-extension://" + "a" * 32})[0] == 403


def test_the_example_of_the_page_is_taken(tmp_path: Path) -> None:
    (example,) = re.findall(r"^```toml\n(.*?)^```", PAGE, re.M | re.S)
    done = any_with(example.replace("/home/ada", str(tmp_path)), "extension", str(tmp_path / "x"), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "looks for the daemon at http://127.0.0.1:9000" in done.stderr


def test_default_file_variable_and_flag_overrule_each_other_in_this_order(tmp_path: Path) -> None:
    file = tmp_path / "state/config/any/config.toml"
    file.parent.mkdir(parents=True)

    def demands(*flags: str, **variables: str) -> bool:
        with Daemon(*flags, env=variables, state_dir=tmp_path / "state") as daemon:
            return bool(daemon.health()["token"])

    assert not demands()
    file.write_text("token = true\n")
    assert demands()
    assert not demands(ANY_DEMAND_TOKEN="0")
    assert demands("--token", ANY_DEMAND_TOKEN="0")
    assert demands(ANY_DEMAND_TOKEN="")


def test_a_flag_replaces_the_list_of_the_file_whole(tmp_path: Path) -> None:
    file = tmp_path / "state/config/any/config.toml"
    file.parent.mkdir(parents=True)
    file.write_text('listen = ["[::1]:1", "127.0.0.1:1"]\n')
    with Daemon(state_dir=tmp_path / "state") as daemon:
        assert daemon.health()["listen"] == [f"127.0.0.1:{daemon.port}"]


@pytest.mark.parametrize(("text", "says"), [("keep_days = 40000", "line 1: keep_days"), ("listen = 1", "line 1: listen"), ("token = ", "line 1")])
def test_a_wrong_line_of_the_file_ends_every_command_with_its_number(text: str, says: str, tmp_path: Path) -> None:
    for command in ("serve", "tabs", "doctor"):
        done = any_with(text, command, folder=tmp_path)
        assert done.returncode == 2 and says in done.stderr, (command, done.stderr)
