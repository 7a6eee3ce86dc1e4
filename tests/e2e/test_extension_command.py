"""`any extension`: the files on disk, and how the daemon keeps them and the browser up to date."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from chromium import EXTENSION_ID, Chromium, eventually
from daemon import REPOSITORY, Daemon
from patched import newer_copy


def write(binary: str, state_dir: Path, folder: Path, daemon: str = "http://127.0.0.1:8766") -> subprocess.CompletedProcess[str]:
    env = os.environ | {"ANY_STATE_DIR": str(state_dir)}
    return subprocess.run([binary, "extension", str(folder), "--daemon", daemon], env=env, capture_output=True, text=True, timeout=20)


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def version(folder: Path) -> str:
    return str(json.loads((folder / "manifest.json").read_text())["version"])


def test_it_writes_the_files_with_the_daemons_address_and_says_how_to_load_them(binary, tmp_path):
    folder = tmp_path / "new" / "extension"
    done = write(binary, tmp_path / "state", folder, "http://127.0.0.1:9123")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{folder}\n", "the folder alone is on stdout, for scripts"
    for words in ("chrome://extensions", "Developer mode", "Load unpacked"):
        assert words in done.stderr
    written, source = files(folder), files(REPOSITORY / "extension")
    assert written.keys() == source.keys()
    assert all(written[name] for name in written if source[name]), "every file is whole"
    assert json.loads(written["manifest.json"])["key"] == json.loads(source["manifest.json"])["key"]
    assert json.loads(written["config.json"])["daemons"] == ["http://127.0.0.1:9123"]
    installation = json.loads(written["config.json"])["installation"]
    line = "\t".join([str(folder), "http://127.0.0.1:9123", installation["id"], installation["secret"]])
    assert (tmp_path / "state" / "extension-folders").read_text() == f"{line}\n"


def test_it_refuses_a_folder_that_holds_something_else_and_touches_nothing_there(binary, tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "holiday.jpg").write_bytes(b"precious")
    done = write(binary, tmp_path / "state", folder)
    assert done.returncode == 2 and done.stdout == ""
    assert str(folder) in done.stderr and "name another folder" in done.stderr
    assert files(folder) == {"holiday.jpg": b"precious"}
    other = tmp_path / "another-extension"
    other.mkdir()
    (other / "manifest.json").write_text('{"name": "Somebody else\'s", "version": "1"}')
    assert write(binary, tmp_path / "state", other).returncode == 2
    assert list(files(other)) == ["manifest.json"]
    assert not (tmp_path / "state" / "extension-folders").exists()


def test_a_second_time_it_renews_the_folder_and_drops_files_of_an_older_version(binary, tmp_path):
    folder = tmp_path / "extension"
    write(binary, tmp_path / "state", folder)
    before = files(folder)
    (folder / "worker.js").write_text("old")
    (folder / "task" / "gone.js").write_text("old")
    assert write(binary, tmp_path / "state", folder).returncode == 0
    assert files(folder) == before
    assert (tmp_path / "state" / "extension-folders").read_text().count("\n") == 1


def test_two_folders_have_two_secrets(binary, tmp_path):
    installations = []
    for name in ("one", "two"):
        write(binary, tmp_path / "state", tmp_path / name)
        installations.append(json.loads((tmp_path / name / "config.json").read_text())["installation"])
    one, two = installations
    assert one["id"] != two["id"] and one["secret"] != two["secret"]


def test_a_newer_daemon_renews_the_folder_and_the_browser_loads_it(binary, tmp_path):
    """The real thing: files and link of 0.1.0, then a daemon of 0.2.0 on the same state folder."""
    newer, newest = newer_copy(binary, tmp_path)
    daemon = Daemon(state_dir=tmp_path / "state")
    browser = Chromium(daemon=daemon.url, start=False)
    try:
        assert browser.extension_folder
        # the browser loads what the command wrote
        for path in sorted(browser.extension_folder.rglob("*"), reverse=True):
            path.unlink() if path.is_file() else path.rmdir()
        assert write(binary, daemon.state_dir, browser.extension_folder, daemon.url).returncode == 0
        # As `any launch` notes it: this profile has developer mode on, so the extension may reload itself.
        config = browser.extension_folder / "config.json"
        config.write_text(json.dumps({**json.loads(config.read_text()), "developer_mode": True}))
        browser.start()
        daemon.wait_for_browser()
        (linked,) = daemon.request("GET", "/v1/browsers")[1]["browsers"]
        assert linked["extension"] == "0.1.0"
        daemon.stop()

        log = open(tmp_path / "newer.log", "wb")
        process = subprocess.Popen([newer, *daemon.command[1:]], env=daemon.env, stdout=log, stderr=log)
        try:
            eventually(lambda: version(browser.extension_folder) == newest, 20, "the daemon renews the folder")

            def linked_anew() -> bool:
                try:
                    now = daemon.request("GET", "/v1/browsers")[1]["browsers"]
                except OSError:
                    return False
                return [(each["linked"], each["extension"], each["id"]) for each in now] == [(True, newest, linked["id"])]

            eventually(linked_anew, 40, "the same browser is linked with the newer extension")
            assert json.loads((browser.extension_folder / "config.json").read_text())["daemons"] == [daemon.url]
            assert daemon.run("return 6 * 7", tab={"open": f"{daemon.pages}/shop.html"})["result"] == 42
        finally:
            process.terminate()
            process.wait(15)
            log.close()
        told = (tmp_path / "newer.log").read_text()
        assert f"the extension in {browser.extension_folder} is now version {newest}" in told
        assert "asked to reload itself" in told
    finally:
        browser.close()
        daemon.close()


def test_a_folder_that_the_person_removed_is_not_brought_back(binary, tmp_path):
    folder = tmp_path / "extension"
    write(binary, tmp_path / "state", folder)
    for path in sorted(folder.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    folder.rmdir()
    newer, _ = newer_copy(binary, tmp_path)
    daemon = Daemon(state_dir=tmp_path / "state", start=False)
    other = tmp_path / "other"
    write(binary, tmp_path / "state", other)
    process = subprocess.Popen([newer, *daemon.command[1:]], env=daemon.env, stderr=subprocess.DEVNULL)
    try:
        eventually(lambda: version(other) == "0.2.0", 20, "the folder that is still there is renewed")
        assert not folder.exists()
    finally:
        process.terminate()
        process.wait(15)


def test_the_extensions_id_is_the_pinned_one(binary, tmp_path):
    import base64
    import hashlib

    folder = tmp_path / "extension"
    write(binary, tmp_path / "state", folder)
    key = base64.b64decode(json.loads((folder / "manifest.json").read_text())["key"])
    letters = hashlib.sha256(key).hexdigest()[:32].translate(str.maketrans("0123456789abcdef", "abcdefghijklmnop"))
    assert letters == EXTENSION_ID
