"""The command line as a person uses it: real binary, real daemon, real Chromium."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest

from link_client import LinkClient

ROOT = Path(__file__).resolve().parents[2]


def test_run_prints_the_result_as_json_on_stdout_and_nothing_else(cli, site, tmp_path):
    script = tmp_path / "facts.js"
    script.write_text("console.log('looking'); any.progress(1); return {title: document.title, n: args.n, t: args.t}")
    done = cli("run", script, "--open", site.url("/plain"), "--arg", "n=3", "--arg", "t=three")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"title": "Plain", "n": 3, "t": "three"}
    assert "looking" in done.stderr and "progress: 1" in done.stderr
    assert "\x1b[" not in done.stderr, "colour belongs on a terminal only"


def test_a_script_from_standard_input_runs(cli, site):
    done = cli("run", "-", "--open", site.url("/plain"), input="return 6 * 7")
    assert (done.returncode, done.stdout) == (0, "42\n"), done.stderr


def test_eval_runs_code_in_the_active_tab_or_a_named_one(cli, site):
    done = cli("eval", "return location.pathname", "--open", site.url("/plain"))
    assert (done.returncode, done.stdout) == (0, '"/plain"\n'), done.stderr


def test_a_throwing_script_exits_1_with_its_position_in_the_users_file(cli, site, tmp_path):
    script = tmp_path / "broken.js"
    script.write_text("const a = 1;\n\n  null.boom;\n")
    done = cli("run", script, "--open", site.url("/plain"))
    assert done.returncode == 1
    assert "broken.js:3" in done.stderr
    assert done.stdout == ""


def test_wrong_usage_exits_2(cli):
    assert cli("run").returncode == 2
    assert cli("run", "x.js", "--no-such-flag").returncode == 2
    assert cli("eval", "return 1", "--arg", "novalue").returncode == 2
    assert cli("run", "/no/such/file.js").returncode == 2


def test_a_timeout_exits_4(cli, site):
    done = cli("eval", "await any.sleep(60000)", "--open", site.url("/plain"), "--timeout", "0.5")
    assert done.returncode == 4, done.stderr
    assert "TimeoutError" in done.stderr


def test_a_missing_tab_exits_6(cli):
    done = cli("eval", "return 1", "--tab", "https://nowhere.example/*")
    assert done.returncode == 6, done.stderr
    assert "TabNotFoundError" in done.stderr


def test_no_browser_exits_3_and_says_what_to_do(lonely_cli):
    done = lonely_cli("eval", "return 1", "--queue-timeout", "0")
    assert done.returncode == 3, done.stderr
    assert "any launch" in done.stderr


def test_a_browser_that_ends_at_once_makes_launch_exit_3(lonely_cli, tmp_path):
    done = lonely_cli("launch", "--binary", "false", "--profile", tmp_path / "profile")
    assert done.returncode == 3, done.stderr
    assert "ended at once" in done.stderr


def test_launch_takes_the_browser_that_it_started_and_none_that_links_meanwhile(lonely_cli, tmp_path, site):
    started, go = tmp_path / "started", tmp_path / "go"
    slow = tmp_path / "slow-chromium"
    slow.write_text(
        f"""#!/bin/sh
        [ "$1" = --version ] && exec chromium --version
        touch {started}
        while [ ! -e {go} ]; do sleep 0.02; done
        exec chromium "$@"
        """
    )
    slow.chmod(0o755)
    words = ("launch", "--headless", "--binary", slow, "--profile", tmp_path / "profile", site.url("/plain"))
    with lonely_cli.start(*words) as launch, LinkClient(lonely_cli.url, label="the person's", start=False) as persons:
        pid = None
        try:
            lonely_cli.until(started.exists)
            persons.connect()
            lonely_cli.until(lambda: "the person's" in lonely_cli("browsers").stdout)
            go.touch()
            label, told = launch.communicate(timeout=60)
            pid = re.search(r"pid (\d+)", told)
            assert (launch.returncode, label) == (0, "Chromium\n"), told
            tabs = lonely_cli("tabs", "--browser", "Chromium", "--json").stdout.splitlines()
            assert [json.loads(tab)["url"] for tab in tabs] == [site.url("/plain")]
            assert persons.chrome_calls.empty(), "the person's browser was driven"
        finally:
            launch.kill()
            if pid:
                os.killpg(int(pid[1]), signal.SIGKILL)


@pytest.mark.parametrize("made_earlier", [False, True], ids=["a new profile", "a profile made earlier"])
def test_an_extension_of_a_launched_browser_survives_its_own_reload(lonely_cli, tmp_path, made_earlier):
    profile = tmp_path / "profile"
    if made_earlier:
        (profile / "Default").mkdir(parents=True)
        (profile / "Default" / "Preferences").write_text(json.dumps({"extensions": {"ui": {"developer_mode": False}}, "homepage": "about:kept"}))
    launched = lonely_cli("launch", "--headless", "--profile", profile)
    assert launched.returncode == 0, launched.stderr
    pid = int(re.search(r"pid (\d+)", launched.stderr)[1])
    try:
        assert b"--silent-debugger-extension-api" in Path(f"/proc/{pid}/cmdline").read_bytes()
        browser = json.loads(lonely_cli("browsers", "--json").stdout.splitlines()[0])
        request = urllib.request.Request(f"{lonely_cli.url}/v1/browsers/{browser['id']}/reload", method="POST", data=b"")
        assert urllib.request.urlopen(request, timeout=30).status == 200
        lonely_cli.until(lambda: lonely_cli("logs").stdout.count(" begins (") == 2)
        if made_earlier:
            assert "about:kept" in (profile / "Default" / "Preferences").read_text()
    finally:
        os.killpg(pid, signal.SIGKILL)


def test_the_tabs_of_a_browser_that_is_gone_exit_3(lonely_cli, tmp_path):
    with LinkClient(lonely_cli.url, label="gone"):
        lonely_cli.until(lambda: "linked" in lonely_cli("browsers").stdout)
    lonely_cli.until(lambda: "linked" not in lonely_cli("browsers").stdout)
    done = lonely_cli("tabs", "--browser", "gone")
    assert done.returncode == 3, done.stderr
    assert lonely_cli("tabs", "--browser", "never seen").returncode == 8


def test_no_daemon_exits_5_where_none_may_be_started(binary, tmp_path):
    env = os.environ | {"ANY_STATE_DIR": str(tmp_path), "ANY_DAEMON": "http://127.0.0.1:1"}
    done = subprocess.run([binary, "tabs"], env=env, capture_output=True, text=True, timeout=30)
    assert done.returncode == 5
    assert "any serve" in done.stderr


def test_a_detached_task_is_fetched_later_by_its_id(cli, site):
    done = cli("eval", "await any.sleep(300); return 'later'", "--open", site.url("/plain"), "--detach")
    assert done.returncode == 0, done.stderr
    task = done.stdout.strip()
    assert cli("result", task).stdout == '"later"\n'
    assert "completed" in cli("task", task).stdout
    assert task in cli("tasks").stdout
    assert json.loads(cli("task", task, "--json").stdout)["state"] == "completed"


@pytest.mark.parametrize("value", ['{"ended":null}', '[{"x":{"ended":null}}]'])
def test_a_result_that_looks_like_a_task_that_has_not_ended_is_fetched_all_the_same(cli, site, value):
    done = cli("eval", "any.progress(args.v); await any.sleep(50); return args.v", "--arg", f"v={value}", "--open", site.url("/plain"), "--detach")
    got = cli("result", done.stdout.strip(), timeout=30)
    assert (got.returncode, got.stdout) == (0, value + "\n"), got.stderr


def test_tasks_are_listed_by_all_the_labels_that_are_named(cli):
    for task, labels in {"l-both": ("shop=a", "kind=x:y=z"), "l-shop": ("shop=a",), "l-kind": ("kind=x:y=z",)}.items():
        flags = [word for label in labels for word in ("--label", label)]
        assert cli("eval", "return 1", "--id", task, "--tab", "https://nowhere.example/*", *flags).returncode == 6

    def listed(*labels: str) -> set[str]:
        done = cli("tasks", "--json", *[word for label in labels for word in ("--label", label)])
        assert done.returncode == 0, done.stderr
        return {json.loads(line)["id"] for line in done.stdout.splitlines()}

    assert listed("shop=a") == {"l-both", "l-shop"}
    assert listed("shop=a", "kind=x:y=z") == listed("kind=x:y=z", "shop:a") == {"l-both"}
    assert listed("shop=a", "shop=a") == {"l-both", "l-shop"}
    for wrong in (("shop",), ("=a",), ("shop=a", "shop=b")):
        flags = [word for label in wrong for word in ("--label", label)]
        refused = cli("tasks", *flags)
        assert refused.returncode == 2 and "--label" in refused.stderr


def test_what_a_page_says_neither_steers_the_terminal_nor_forges_a_line(cli, site):
    code = r"console.log('one\nany: forged'); throw new Error('two\u009b2J\nforged  completed')"
    done = cli("eval", code, "--open", site.url("/plain"), "--id", "forger")
    assert done.returncode == 1
    listed = cli("tasks", "--limit", "1").stdout
    assert r"two\x9b2J\nforged  completed" in listed
    cli.until(lambda: r"two\x9b2J\nforged" in cli("logs").stdout)
    shown = cli("task", "forger").stdout
    for text in (done.stderr, listed, shown, cli("logs").stdout):
        assert "\x9b" not in text
    for text in (listed, shown, cli("logs").stdout):
        assert not [line for line in text.splitlines() if line.startswith("forged")]
    assert not [line for line in done.stderr.splitlines() if line.startswith("any: forged")]


def test_record_prints_the_whole_record(cli, site):
    record = json.loads(cli("eval", "return 1", "--open", site.url("/plain"), "--record").stdout)
    assert record["state"] == "completed" and record["result"] == 1 and record["attempts"][0]["number"] == 1


def test_cancel_ends_a_task_and_its_run_exits_7(cli, site):
    task = "cancel-me"
    with cli.start("eval", "await any.sleep(60000)", "--open", site.url("/plain"), "--id", task, "--timeout", "none") as running:
        cli.until(lambda: json.loads(cli("task", task, "--json").stdout or "{}").get("state") == "running")
        assert cli("cancel", task).returncode == 0
        _, err = running.communicate(timeout=20)
        assert running.returncode == 7, err


def test_ctrl_c_cancels_the_task(cli, site):
    task = "interrupted"
    with cli.start("eval", "await any.sleep(60000)", "--open", site.url("/plain"), "--id", task, "--timeout", "none") as running:
        cli.until(lambda: json.loads(cli("task", task, "--json").stdout or "{}").get("state") == "running")
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=20)
        assert running.returncode == 7, err
    assert json.loads(cli("task", task, "--json").stdout)["state"] == "cancelled"


def test_a_tab_whose_first_page_never_came_is_listed_with_its_address(cli, browser, site):
    made = browser.worker(f"chrome.tabs.create({{url: {json.dumps(site.url('/204'))}}})")["id"]
    cli.until(lambda: browser.worker(f"chrome.tabs.get({made})")["status"] == "complete")
    listed = {tab["id"]: tab["url"] for tab in map(json.loads, cli("tabs", "--json").stdout.splitlines())}
    assert listed[made] == site.url("/204")
    browser.worker(f"chrome.tabs.remove({made})")


def test_tabs_and_browsers_are_listed(cli, site):
    tabs = cli("tabs")
    assert tabs.returncode == 0 and "URL" in tabs.stdout
    assert "linked" in cli("browsers").stdout


def test_logs_show_the_extensions_lines_too(cli, site):
    cli("eval", "return 1", "--open", site.url("/plain"))
    cli.until(lambda: "[extension]" in cli("logs").stdout)


def test_a_run_survives_a_restart_of_the_daemon(cli, site, daemon):
    with cli.start("eval", "await any.sleep(3000); return 'through'", "--open", site.url("/plain"), "--id", "through") as running:
        cli.until(lambda: json.loads(cli("task", "through", "--json").stdout or "{}").get("state") == "running")
        daemon.kill9()
        daemon.start()
        out, err = running.communicate(timeout=40)
        assert running.returncode == 0, err
        assert out == '"through"\n'


def test_waiting_for_a_browser_is_said_on_a_terminal(lonely_cli):
    master, slave = pty.openpty()
    with lonely_cli.start("eval", "return 1", "--queue-timeout", "2", stderr=slave) as running:
        os.close(slave)
        seen = b""
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            try:
                chunk = os.read(master, 4096)
            except OSError:
                break
            if not chunk:
                break
            seen += chunk
        running.wait(timeout=15)
    os.close(master)
    assert b"waiting for a browser" in seen and b"any doctor" in seen
    assert b"\x1b[" in seen, "a terminal gets colour"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_names_every_command(binary, shell):
    out = subprocess.run([binary, "completion", shell], capture_output=True, text=True, timeout=10)
    assert out.returncode == 0
    for command in ("serve", "run", "eval", "tabs", "tasks", "task", "result", "cancel", "logs", "browsers", "launch", "doctor", "extension"):
        assert command in out.stdout


def test_bash_takes_its_completion(binary):
    script = f'eval "$({binary} completion bash)"; COMP_WORDS=(any ru); COMP_CWORD=1; _any; echo "${{COMPREPLY[*]}}"'
    out = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=10)
    assert out.stdout.split() == ["run"], out.stderr


def test_the_one_file_is_an_installation(binary, tmp_path):
    copy = tmp_path / "bin" / "any"
    copy.parent.mkdir()
    copy.write_bytes(Path(binary).read_bytes())
    copy.chmod(0o755)
    env = {"HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin"}
    listed = subprocess.run(["ldd", str(copy)], capture_output=True, text=True).stdout
    ours = [line.split()[0] for line in listed.splitlines() if "=>" in line]
    allowed = ("libc.so", "libm.so", "libstdc++", "libgcc_s", "linux-vdso", "ld-linux", "libdl", "libpthread")
    assert [name for name in ours if not name.startswith(allowed)] == []
    done = subprocess.run([copy, "extension", tmp_path / "ext"], env=env, cwd=tmp_path, capture_output=True, text=True, timeout=10)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "ext" / "manifest.json").read_text())["name"] == "any"
