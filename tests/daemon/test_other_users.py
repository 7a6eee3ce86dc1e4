"""What `--any-user` opens to other users of the machine, and what it does not: nobody becomes a browser by what he says."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from as_user import NOBODY, as_user, needs_root
from daemon import Daemon
from link_client import LinkClient, LinkError, Params
from raw_http import upgrade

pytestmark = needs_root


@pytest.fixture(params=[(), ("--token",)], ids=["open", "token"])
def daemon(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Daemon]:
    with Daemon("--any-user", *request.param, state_dir=tmp_path / "state") as running:
        yield running


def installation(daemon: Daemon, folder: Path) -> Params:
    """What `any extension` writes into the folder's config.json for the daemon's link."""
    done = daemon.cli("extension", str(folder))
    assert done.returncode == 0, done.stderr
    return dict(json.loads((folder / "config.json").read_text())["installation"])


def token(daemon: Daemon) -> str:
    file = daemon.state_dir / "token"
    return file.read_text().strip() if file.exists() else ""


def linked(daemon: Daemon) -> int:
    return int(daemon.health()["browsers"])


def test_another_users_program_that_claims_to_be_a_new_browser_is_told_no_secret_and_gets_no_link(daemon: Daemon) -> None:
    with LinkClient(daemon.url, start=False) as stranger:
        with as_user(NOBODY):
            stranger.open()
        with pytest.raises(LinkError) as refused:
            stranger.begin()
        assert refused.value.name == "UnauthorizedError"
        assert "another user" in str(refused.value) and "any extension" in str(refused.value) and str(daemon.state_dir) in str(refused.value)
        assert stranger.closed.wait(10)
    assert linked(daemon) == 0


def test_another_users_program_that_claims_the_persons_browser_is_told_neither_its_key_nor_a_proof(daemon: Daemon) -> None:
    with LinkClient(daemon.url) as browser:
        for has_key in (False, True):
            with LinkClient(daemon.url, browser=browser.browser, start=False) as stranger:
                with as_user(NOBODY):
                    stranger.open()
                with pytest.raises(LinkError) as refused:
                    stranger.begin(has_key=has_key)
                assert refused.value.name == "UnauthorizedError"
        assert not browser.closed.is_set() and linked(daemon) == 1


def test_a_folder_that_any_extension_wrote_lets_a_browser_of_another_user_in(daemon: Daemon, tmp_path: Path) -> None:
    with LinkClient(daemon.url, start=False) as browser:
        browser.installation = installation(daemon, tmp_path / "extension")
        for _ in range(2):  # the first handshake, and each later one
            with as_user(NOBODY):
                browser.open()
            browser.begin()
            assert "key" not in browser.begun and "proof" in browser.begun
            welcome = browser.say_hello()
            assert linked(daemon) == 1
            assert "token" not in welcome
            browser.cut()
            daemon.restart()


def test_a_folder_does_not_let_another_user_in_as_a_browser_that_is_not_his(daemon: Daemon, tmp_path: Path) -> None:
    with LinkClient(daemon.url) as browser, LinkClient(daemon.url, browser=browser.browser, start=False) as stranger:
        stranger.installation = installation(daemon, tmp_path / "extension")
        with as_user(NOBODY):
            stranger.open()
        stranger.begin()
        with pytest.raises(LinkError) as refused:
            stranger.say_hello()
        assert refused.value.name == "UnauthorizedError"
        assert not browser.closed.is_set() and linked(daemon) == 1


@pytest.mark.parametrize("wrong", ["id", "secret"])
def test_an_installation_that_the_daemon_does_not_know_lets_nobody_in(daemon: Daemon, tmp_path: Path, wrong: str) -> None:
    known, other = installation(daemon, tmp_path / "extension"), installation(daemon, tmp_path / "other")
    claimed = {**known, wrong: other[wrong]} if wrong == "secret" else {**known, "id": "made up"}
    with LinkClient(daemon.url, start=False) as browser:
        browser.installation = claimed
        with as_user(NOBODY):
            browser.open()
        if wrong == "id":
            with pytest.raises(LinkError) as refused:
                browser.begin()
        else:
            with pytest.raises(AssertionError, match="a stranger"):
                browser.begin()
            with pytest.raises(LinkError) as refused:
                browser.say_hello()
        assert refused.value.name == "UnauthorizedError"
    assert linked(daemon) == 0


def test_the_secret_of_a_folder_can_be_read_by_its_owner_alone(daemon: Daemon, tmp_path: Path) -> None:
    installation(daemon, tmp_path / "extension")
    for file in (tmp_path / "extension" / "config.json", daemon.state_dir / "extension-folders"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_the_prototypes_door_hands_scripts_to_another_user_only_with_the_token(daemon: Daemon) -> None:
    secret = token(daemon)
    with as_user(NOBODY):
        without = upgrade(daemon.port, "/events")
        given = upgrade(daemon.port, f"/events?token={secret}") if secret else None
    if given is None:
        assert (without.status, without.error) == (403, "ForbiddenError")
        assert "--token" in without.json()["error"]["message"]
    else:
        assert (without.status, given.status) == (401, 101)


def test_nobody_is_told_the_token_on_a_link(daemon: Daemon) -> None:
    with LinkClient(daemon.url, start=False) as browser:
        browser.open()
        told = {**browser.begin(), **browser.say_hello()}
        assert "token" not in told and (not token(daemon) or token(daemon) not in json.dumps(told))
