"""`any doctor` names what is wrong and the next step: one real fault a test."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, Iterator

import pytest

from chromium import Chromium, eventually
from daemon import Daemon, free_port
from link_client import LinkClient
from patched import newer_copy

OK, NO_BROWSER, NO_DAEMON = 0, 3, 5


class Doctor:
    """`any doctor --json` against an address, with an environment of its own."""

    def __init__(self, binary: str, state_dir: Path, url: str, **env: str) -> None:
        self.binary = binary
        kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower() and not name.startswith("ANY_")}
        self.env = kept | {"ANY_DAEMON": url, "ANY_STATE_DIR": str(state_dir)} | env

    def __call__(self, *wrapper: str) -> tuple[int, dict[str, dict[str, Any]]]:
        done = subprocess.run([*wrapper, self.binary, "doctor", "--json"], env=self.env, capture_output=True, text=True, timeout=30)
        findings = json.loads(done.stdout)
        assert all(each.keys() == {"check", "verdict", "text", "next"} for each in findings)
        assert all(each["next"] for each in findings if each["verdict"] != "ok"), "each finding says what to do next"
        return done.returncode, {each["check"]: each for each in findings}


@pytest.fixture
def doctor(binary: str, daemon: Daemon) -> Doctor:
    return Doctor(binary, daemon.state_dir, daemon.url)


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon for one test."""
    with Daemon(state_dir=tmp_path / "alone") as running:
        yield running


def for_daemon(binary: str, daemon: Daemon, **env: str) -> Doctor:
    return Doctor(binary, daemon.state_dir, daemon.url, **env)


# the daemon


def test_no_daemon_is_told_apart_from_a_taken_port(binary, tmp_path):
    port = free_port()
    code, found = Doctor(binary, tmp_path, f"http://127.0.0.1:{port}")()
    assert code == NO_DAEMON
    assert found["daemon.running"]["verdict"] == "problem"
    assert f"no daemon runs at http://127.0.0.1:{port}" in found["daemon.running"]["text"]
    assert "any serve" in found["daemon.running"]["next"]
    assert "daemon.port" not in found


def test_a_port_held_by_another_http_server_is_named_with_its_holder(binary, tmp_path):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(404)

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        code, found = Doctor(binary, tmp_path, f"http://127.0.0.1:{server.server_port}")()
    finally:
        server.shutdown()
        server.server_close()
    assert code == NO_DAEMON
    assert f"port {server.server_port} is taken by pid {os.getpid()}" in found["daemon.port"]["text"]
    assert "not any" in found["daemon.port"]["text"] and "--listen" in found["daemon.port"]["next"]


def test_a_port_held_by_a_silent_program_is_named_with_its_holder(binary, tmp_path):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        code, found = Doctor(binary, tmp_path, f"http://127.0.0.1:{port}")()
    assert code == NO_DAEMON
    assert f"port {port} is taken by pid {os.getpid()}" in found["daemon.port"]["text"]


def test_a_newer_command_line_says_so_and_how_to_start_the_new_daemon(binary, alone, tmp_path):
    newer, version = newer_copy(binary, tmp_path)
    code, found = for_daemon(str(newer), alone)()
    assert code == NO_BROWSER  # this daemon has none, which is another matter
    assert f"this command line is {version}, newer than the daemon that runs, 0.1.0" in found["daemon.version"]["text"]
    assert "any stop" in found["daemon.version"]["next"]


def test_an_older_command_line_says_so_too(binary, tmp_path):
    newer, version = newer_copy(binary, tmp_path)
    with Daemon(state_dir=tmp_path / "state", start=False) as daemon:
        process = subprocess.Popen([newer, *daemon.command[1:]], env=daemon.env, stderr=subprocess.DEVNULL)
        try:
            eventually(lambda: answers(daemon), 20, "the newer daemon answers")
            _, found = for_daemon(binary, daemon)()
        finally:
            process.terminate()
            process.wait(10)
    assert f"older than the daemon that runs, {version}" in found["daemon.version"]["text"]


def answers(daemon: Daemon) -> bool:
    try:
        return bool(daemon.health())
    except OSError:
        return False


def test_a_missing_token_is_named(binary, tmp_path):
    with Daemon("--token", state_dir=tmp_path / "with-token") as daemon:
        stranger = Doctor(binary, tmp_path / "other", daemon.url)
        (tmp_path / "other").mkdir()
        code, found = stranger()
        assert code == NO_DAEMON and "token" in found["daemon.token"]["text"]
        assert str(daemon.state_dir) in found["daemon.token"]["next"]
        assert "daemon.token" not in for_daemon(binary, daemon)()[1]


# browsers


def test_no_extension_ever_seen_says_how_to_get_one(binary, alone):
    code, found = for_daemon(binary, alone)()
    assert code == NO_BROWSER
    assert found["daemon.running"]["verdict"] == "ok"
    assert "no extension has ever been linked" in found["browser.never"]["text"]
    assert "any launch" in found["browser.never"]["next"] and "any extension" in found["browser.never"]["next"]


def test_an_extension_that_is_refused_for_its_id_is_named_with_the_line_that_lets_it_in(binary, alone):
    with Chromium(alone.url, start=False) as browser:
        stranger = browser.other_id()
        browser.start()
        line = f"--allow-extension {stranger}"
        popup = browser.popup()
        eventually(lambda: line in popup.evaluate("document.body.innerText"), 20, "its popup says why it is not linked")
        found = for_daemon(binary, alone)()[1]["browser.refused"]
        assert stranger in found["text"] and f"any serve {line}" in found["next"]
        assert alone.log().count(f"the extension {stranger} wants to link and is refused") == 1
        assert line in alone.log()
        alone.stop()
        with Daemon(*line.split(), port=alone.port, state_dir=alone.state_dir) as letting:
            letting.wait_for_browser()
            assert "browser.refused" not in for_daemon(binary, letting)()[1]


def test_a_browser_that_is_gone_is_named_with_the_time_also_after_a_restart(binary, alone):
    link = LinkClient(alone.url, label="work")
    alone.wait_for_browser()
    link.close()
    eventually(lambda: alone.health()["browsers"] == 0, 10, "the link has ended")
    seen = alone.health()["last_browser_seen"]
    alone.restart()
    code, found = for_daemon(binary, alone)()
    assert code == NO_BROWSER
    told = found["browser.gone"]["text"]
    assert 'browser "work" is gone since' in told
    since = re.search(r"since (\S+Z) \(\d+ s ago\)", told)
    assert since and since[1][:19] == seen[:19]
    assert "icon" in found["browser.gone"]["next"]


def test_a_proxy_that_keeps_a_browser_away_is_named_also_after_a_restart(binary, alone):
    doctor = for_daemon(binary, alone)
    link = LinkClient(alone.url, label="work")
    assert "browser.proxy" not in doctor()[1]
    link.notify("browser.update", {"proxy": "http://proxy.example:3128"})
    eventually(lambda: doctor()[1].get("browser.proxy", {}).get("verdict") == "note", 10, "the proxy is found")
    link.close()
    eventually(lambda: alone.health()["browsers"] == 0, 10, "the link has ended")
    alone.restart()
    code, found = doctor()
    assert code == NO_BROWSER
    since = re.search(r"since (\S+Z)", found["browser.gone"]["text"])
    assert since and f"said last, at {since[1]}," in found["browser.proxy"]["text"]
    assert "http://proxy.example:3128" in found["browser.proxy"]["text"] and "<-loopback>" in found["browser.proxy"]["next"]
    # What it says when it comes again goes before what it said last.
    with LinkClient(alone.url, browser=link.browser, key=link.key, label="work"):
        assert "browser.proxy" not in doctor()[1]
    alone.restart()
    assert "browser.proxy" not in doctor()[1]


def test_an_older_extension_is_named_with_both_versions(binary, alone):
    with LinkClient(alone.url, start=False, label="old") as link:
        link.open()
        link.begin(version="0.0.9")
        link.say_hello()
        code, found = for_daemon(binary, alone)()
        assert code == OK
        assert 'browser "old" has the extension 0.0.9, older than the daemon, 0.1.0' in found["browser.extension"]["text"]
        assert "any extension" in found["browser.extension"]["next"]


def test_a_paused_browser_is_found(doctor, browser, site):
    page = browser.open(site.url("/plain"))
    browser.worker("chrome.storage.local.set({paused: true})")
    try:
        eventually(lambda: "browser.paused" in doctor()[1], 10, "the doctor sees the pause")
        code, found = doctor()
        assert code == NO_BROWSER
        assert found["browser.paused"]["verdict"] == "problem" and "Resume" in found["browser.paused"]["next"]
    finally:
        browser.worker("chrome.storage.local.set({paused: false})")
    eventually(lambda: "browser.paused" not in doctor()[1], 10, "the pause is over")
    page.close()


def test_a_browser_without_an_ordinary_tab_is_found(doctor, browser, site):
    assert browser.tabs()
    eventually(lambda: "browser.tabs" in doctor()[1], 10, "no ordinary tab is open")
    assert doctor()[0] == NO_BROWSER
    assert "--open" in doctor()[1]["browser.tabs"]["next"]
    page = browser.open(site.url("/plain"))
    eventually(lambda: "browser.tabs" not in doctor()[1], 10, "an ordinary tab is open")
    assert doctor()[0] == OK, doctor()
    page.close()


def test_switches_that_are_off_are_named_and_those_that_are_on_are_not(binary, doctor, browser, site):
    page = browser.open(site.url("/plain"))
    checks = {"user_scripts": "Allow user scripts", "incognito": "Allow in Incognito", "file_urls": "Allow access to file URLs"}
    for switches in ({name: False for name in checks}, {name: True for name in checks}):
        browser.set_switches(**switches)
        on = all(switches.values())
        said = {f"browser.{name}" for name in checks}
        eventually(lambda: doctor()[0] == OK and (doctor()[1].keys() & said) == (set() if on else said), 20, f"{switches}")
        code, found = doctor()
        for name, words in checks.items():
            if not on:
                assert found[f"browser.{name}"]["verdict"] == "note"
                assert words in found[f"browser.{name}"]["next"]
    page.close()


def test_sites_that_are_closed_to_scripts_are_found(doctor, browser, site):
    page = browser.open(site.url("/plain"))
    eventually(lambda: doctor()[0] == OK, 10, "all is well")
    browser.set_site_access("ON_CLICK")
    eventually(lambda: "browser.site_access" in doctor()[1], 10, "the site access is found")
    code, found = doctor()
    assert code == NO_BROWSER and "Site access" in found["browser.site_access"]["next"]
    browser.set_site_access("ON_ALL_SITES")
    eventually(lambda: "browser.site_access" not in doctor()[1], 10, "the site access is whole again")
    for pattern in ("http://127.0.0.1:*/*", "<all_urls>"):
        browser.worker(f"chrome.contentSettings.javascript.set({{primaryPattern: {json.dumps(pattern)}, setting: 'block'}})")
        page.close()
        page = browser.open(site.url("/plain"))
        eventually(lambda: "browser.javascript" in doctor()[1], 10, pattern)
        assert "chrome://settings/content/javascript" in doctor()[1]["browser.javascript"]["next"]
        browser.worker("chrome.contentSettings.javascript.clear({})")
        page.goto(site.url("/second"))
        eventually(lambda: "browser.javascript" not in doctor()[1], 10, "scripts may run again")
    page.close()


def test_chromes_own_proxy_is_found_where_it_catches_loopback(doctor, browser):
    proxy: dict[str, Any] = {"mode": "fixed_servers", "rules": {"singleProxy": {"host": "127.0.0.1", "port": 9}}}
    browser.worker(f"chrome.proxy.settings.set({{value: {json.dumps(proxy)}}})")
    try:
        assert "browser.proxy" not in doctor()[1], "Chrome goes to loopback directly unless it is told otherwise"
        proxy["rules"]["bypassList"] = ["<-loopback>"]
        browser.worker(f"chrome.proxy.settings.set({{value: {json.dumps(proxy)}}})")
        eventually(lambda: "browser.proxy" in doctor()[1], 10, "the proxy is found")
        found = doctor()[1]["browser.proxy"]
        assert "127.0.0.1:9" in found["text"] and "<-loopback>" in found["next"]
    finally:
        browser.worker("chrome.proxy.settings.clear({})")
    eventually(lambda: "browser.proxy" not in doctor()[1], 10, "the proxy is gone")


# between programs and the daemon


def test_a_proxy_of_the_environment_is_found_unless_no_proxy_spares_the_daemon(binary, alone):
    proxy = "http://proxy.example:3128"
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        _, found = for_daemon(binary, alone, **{name: proxy})()
        assert found["proxy.environment"]["verdict"] == "note"
        assert f"{name}={proxy}" in found["proxy.environment"]["text"]
        assert "no_proxy" in found["proxy.environment"]["next"]
        assert found["daemon.running"]["verdict"] == "ok", "any itself takes no proxy"
    _, found = for_daemon(binary, alone, http_proxy=proxy, no_proxy="example.com, 127.0.0.1")()
    assert found["proxy.environment"]["verdict"] == "ok"
    _, found = for_daemon(binary, alone, http_proxy=proxy, no_proxy="localhost")()
    assert found["proxy.environment"]["verdict"] == "note", "localhost is not 127.0.0.1 to curl"
    assert "proxy.environment" not in for_daemon(binary, alone)()[1]


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="only root can give a process an /etc/hosts of its own")
def test_localhost_that_means_only_the_other_address_is_found(binary, alone, tmp_path):
    hosts = tmp_path / "hosts"
    hosts.write_text("::1 localhost\n")
    wrapper = ("unshare", "-m", "sh", "-c", f'mount --bind {hosts} /etc/hosts && exec "$@"', "sh")
    code, found = for_daemon(binary, alone)(*wrapper)
    assert found["localhost"]["verdict"] == "problem"
    assert f"[::1]:{alone.port}" in found["localhost"]["text"] and "--listen" in found["localhost"]["next"]
    # any itself is not led astray by the name
    by_name = Doctor(binary, alone.state_dir, f"http://localhost:{alone.port}")
    assert by_name(*wrapper)[1]["daemon.running"]["verdict"] == "ok"


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="only root can give a process an /etc/hosts of its own")
def test_localhost_as_the_other_address_is_well_where_the_daemon_listens_there_too(binary, tmp_path):
    hosts = tmp_path / "hosts"
    hosts.write_text("::1 localhost\n127.0.0.1 localhost\n")
    wrapper = ("unshare", "-m", "sh", "-c", f'mount --bind {hosts} /etc/hosts && exec "$@"', "sh")
    port = free_port()
    with Daemon("--listen", f"[::1]:{port}", port=port, state_dir=tmp_path / "both") as daemon:
        _, found = for_daemon(binary, daemon)(*wrapper)
    assert found["localhost"]["verdict"] == "ok"


def test_the_text_form_says_the_same_with_a_mark_and_the_next_step(binary, alone):
    doctor = for_daemon(binary, alone)
    done = subprocess.run([binary, "doctor"], env=doctor.env, capture_output=True, text=True, timeout=30)
    _, found = doctor()
    assert done.returncode == NO_BROWSER and done.stderr == ""
    for each in found.values():
        mark = {"ok": "ok  ", "note": "note", "problem": "BAD "}[each["verdict"]]
        assert f"{mark}  {each['text'].split(' (')[0]}" in done.stdout
        if each["next"]:
            assert f"→ {each['next']}" in done.stdout
    assert "\x1b[" not in done.stdout
