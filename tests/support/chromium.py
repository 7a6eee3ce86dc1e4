"""A real Chromium with the extension in it, for tests. Synchronous; safe to use from several threads.

    with Chromium(daemon="http://127.0.0.1:9000") as browser:
        tab = browser.open("http://127.0.0.1:9001/page.html")
        tab.evaluate("document.title")                # promises are awaited, values come as JSON
        browser.worker("chrome.runtime.id")           # in the service worker (which is woken first)
        browser.offscreen("location.href")
        browser.kill_worker(); browser.close_offscreen(); browser.reload_extension()
        browser.set_switches(user_scripts=True, incognito=True, file_urls=True)
        browser.suspend(); browser.resume()           # SIGSTOP and SIGCONT for every process of it
        browser.kill(); browser.start()               # kill -9, then the same profile again

Each browser has a fresh profile (unless `profile` is given) and a copy of `extension/` whose config.json holds the
daemon's address. Everything is driven over the debugging port, which the extension knows nothing of. Only processes
that were started here are ever signalled. Everything temporary is removed by `close()`.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

REPOSITORY = Path(__file__).resolve().parents[2]
EXTENSION_ID = "fiboagademobpcbeeblkmghchapdlnjd"
BINARY = os.environ.get("ANY_TEST_CHROMIUM", "/usr/bin/chromium")
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --no-default-browser-check --disable-breakpad "
    "--disable-background-networking --disable-component-update --disable-sync --disable-default-apps "
    "--disable-search-engine-choice-screen --password-store=basic --use-mock-keychain --no-proxy-server "
    "--noerrdialogs --enable-logging=stderr"
).split()

STORED = """new Promise((resolve, reject) => {
  const opening = indexedDB.open("any");
  opening.onupgradeneeded = () => opening.transaction.abort(); // the extension makes it
  opening.onerror = () => reject(opening.error);
  opening.onsuccess = () => {
    const database = opening.result;
    const strict = database.transaction(["meta", "STORE"], "readwrite", { durability: "strict" });
    strict.objectStore("meta").put(Date.now(), "written for a test");
    const rows = strict.objectStore("STORE").getAll();
    strict.oncomplete = () => { database.close(); resolve(rows.result); };
    strict.onabort = () => reject(strict.error);
  };
})"""

T = TypeVar("T")


def eventually(condition: Callable[[], T], timeout: float = 10.0, what: str = "") -> T:
    """Waits until `condition()` is true and returns its value; raises AssertionError after `timeout` seconds."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {timeout} s: {what or condition}")
        time.sleep(0.01)


class CdpError(Exception):
    """An error that the browser answered, or a connection that ended."""


class Cdp:
    """The browser-level debugging socket, with flat sessions."""

    def __init__(self, url: str) -> None:
        self._socket: ClientConnection = connect(url, legacy=True, max_size=None, compression=None, proxy=None, ping_interval=None)
        self._ids = itertools.count(1)
        self._lock = threading.Lock()
        self._waiting: dict[int, Future[Any]] = {}
        self._ended = False
        #: (session or None, method, params) of every event, to be looked at by tests
        self.events: list[tuple[str | None, str, dict[str, Any]]] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        try:
            for text in self._socket:
                message = json.loads(text)
                if "id" not in message:
                    self.events.append((message.get("sessionId"), message["method"], message.get("params", {})))
                    continue
                future = self._waiting.pop(message["id"], None)
                if future is None:
                    continue
                if "error" in message:
                    future.set_exception(CdpError(message["error"].get("message", str(message["error"]))))
                else:
                    future.set_result(message.get("result", {}))
        except (ConnectionClosed, OSError):
            pass
        with self._lock:
            self._ended = True
            waiting, self._waiting = self._waiting, {}
        for future in waiting.values():
            future.set_exception(CdpError("the debugging connection ended"))

    def post(self, method: str, session: str | None = None, **params: Any) -> Future[Any]:
        """Sends a command and does not wait for its answer."""
        future: Future[Any] = Future()
        with self._lock:
            if self._ended:
                raise CdpError("the debugging connection has ended")
            number = next(self._ids)
            self._waiting[number] = future
            message: dict[str, Any] = {"id": number, "method": method, "params": params}
            if session:
                message["sessionId"] = session
            try:
                self._socket.send(json.dumps(message))
            except ConnectionClosed as error:
                raise CdpError("the debugging connection has ended") from error
        return future

    def call(self, method: str, session: str | None = None, timeout: float = 30.0, **params: Any) -> Any:
        """Sends a command and returns its result; raises CdpError or TimeoutError."""
        try:
            return self.post(method, session, **params).result(timeout)
        except TimeoutError:
            raise TimeoutError(f"{method} was not answered within {timeout} s") from None

    def targets(self) -> list[dict[str, Any]]:
        every = [{"type": kind} for kind in ("page", "service_worker", "background_page", "other", "worker", "iframe")]
        infos: list[dict[str, Any]] = self.call("Target.getTargets", filter=every)["targetInfos"]
        return infos

    def evaluate(self, session: str, expression: str, timeout: float = 30.0) -> Any:
        answer = self.call(
            "Runtime.evaluate", session, timeout, expression=expression, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise CdpError(details.get("exception", {}).get("description") or details.get("text", "threw"))
        return answer["result"].get("value")

    @contextmanager
    def attached(self, target: str) -> Iterator[str]:
        """A session with the target, for as long as the block runs."""
        session: str = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        try:
            yield session
        finally:
            try:
                self.post("Target.detachFromTarget", sessionId=session)
            except CdpError:
                pass

    def glance(self, session: str, expression: str) -> Any:
        """As `evaluate`, to be asked again: None while the document is being replaced, which ends or loses what it is asked."""
        try:
            return self.evaluate(session, expression, 5)
        except (CdpError, TimeoutError):
            return None

    def close(self) -> None:
        self._socket.close()


class Tab:
    """A tab, by its debugging target."""

    def __init__(self, browser: Chromium, target: str) -> None:
        self.browser = browser
        self.target = target
        self._session: str | None = None

    @property
    def session(self) -> str:
        if self._session is None:
            self._session = self.browser.cdp.call("Target.attachToTarget", targetId=self.target, flatten=True)["sessionId"]
        return self._session

    def evaluate(self, expression: str, timeout: float = 30.0) -> Any:
        """The value of the expression in the page's main world; a promise is awaited; a throw is a CdpError."""
        return self.browser.cdp.evaluate(self.session, expression, timeout)

    def call(self, method: str, timeout: float = 30.0, **params: Any) -> Any:
        """Any CDP command to this tab."""
        return self.browser.cdp.call(method, self.session, timeout, **params)

    def goto(self, url: str, wait: bool = True) -> None:
        """Navigates; with `wait`, until the document is complete."""
        self.call("Page.navigate", url=url)
        if wait:
            self.wait_loaded()

    def wait_loaded(self, timeout: float = 45.0) -> None:
        eventually(lambda: self.glance("location.href !== 'about:blank' && document.readyState === 'complete'"), timeout, "the page is complete")

    def glance(self, expression: str) -> Any:
        """As `evaluate`, for a condition that is looked at again; None while the document is being replaced."""
        return self.browser.cdp.glance(self.session, expression)

    @property
    def url(self) -> str:
        return str(self.browser.cdp.call("Target.getTargetInfo", targetId=self.target)["targetInfo"]["url"])

    @property
    def id(self) -> int:
        """The id that chrome.tabs knows this tab by."""
        number = self.browser.worker(
            f"chrome.debugger.getTargets().then(all => all.find(t => t.id === {json.dumps(self.target)})?.tabId)"
        )
        if not isinstance(number, int):
            raise CdpError("the extension does not see this tab")
        return number

    def screenshot(self, path: Path | str, width: int = 0, height: int = 0) -> None:
        """Writes a PNG, of a window of the given size where one is given."""
        import base64

        if width:
            self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=2, mobile=False)
        data = self.call("Page.captureScreenshot", format="png")["data"]
        Path(path).write_bytes(base64.b64decode(data))

    def renderer_pid(self) -> int:
        """The process that runs this tab's page (other tabs of the same site may share it)."""
        # No debugging command names a tab's process, so: the renderer without which this tab does not answer.
        for pid in self.browser.renderers():
            if all(self._needs(pid) for _ in range(3)):
                return pid
        raise AssertionError("the tab answers without any of the renderers")

    def _needs(self, pid: int) -> bool:
        """Whether the tab is silent for as long as that process stands still."""
        try:
            os.kill(pid, signal.SIGSTOP)
        except ProcessLookupError:  # its tab has been closed meanwhile
            return False
        try:
            answer = self.browser.cdp.post("Runtime.evaluate", self.session, expression="1")
            try:
                answer.result(1.5)
                return False
            except FutureTimeout:
                pass
        finally:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        answer.result(15)
        return True

    def kill_renderer(self) -> None:
        """kill -9 for the process of this tab's page."""
        os.kill(self.renderer_pid(), signal.SIGKILL)

    def close(self) -> None:
        self.browser.cdp.call("Target.closeTarget", targetId=self.target)


class Chromium:
    """One running browser. Starts at construction (unless `start=False`)."""

    def __init__(
        self,
        daemon: str | Sequence[str] = "http://127.0.0.1:8766",
        *,
        prototypes: Sequence[str] = (),
        installation: dict[str, str] | None = None,
        profile: Path | str | None = None,
        extension: bool = True,
        flags: Sequence[str] = (),
        others: Sequence[Path] = (),
        developer_mode: bool = True,
        headless: bool = True,
        start: bool = True,
    ) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="any-chromium-"))
        self.profile = Path(profile) if profile else self._folder / "profile"
        self.extension_folder = self._folder / "extension" if extension else None
        self._flags = [*flags]
        self._developer_mode = developer_mode
        self._others = others  # folders of further extensions
        self._headless = headless
        self.extension_id = EXTENSION_ID
        self._process: subprocess.Popen[bytes] | None = None
        self._cdp: Cdp | None = None
        if self.extension_folder:
            shutil.copytree(REPOSITORY / "extension", self.extension_folder)
            self.configure(daemon, prototypes, installation)
        if start:
            self.start()

    def configure(self, daemon: str | Sequence[str], prototypes: Sequence[str] = (), installation: dict[str, str] | None = None) -> None:
        """Writes the extension's config.json; takes effect when the extension starts or is reloaded."""
        assert self.extension_folder
        daemons = [daemon] if isinstance(daemon, str) else list(daemon)
        config = {"daemons": daemons, "prototypes": list(prototypes), "developer_mode": self._developer_mode}
        text = json.dumps({**config, **({"installation": installation} if installation else {})})
        (self.extension_folder / "config.json").write_text(text)

    # life

    def start(self, timeout: float = 30.0) -> None:
        """Starts it (again, with the same profile)."""
        assert self._process is None, "it runs already"
        self.profile.mkdir(parents=True, exist_ok=True)
        preferences = self.profile / "Default" / "Preferences"
        if not preferences.exists():
            # As `any launch` makes it; with developer mode off Chrome disables the extension at its first reload.
            preferences.parent.mkdir(exist_ok=True)
            preferences.write_text(json.dumps({"extensions": {"ui": {"developer_mode": self._developer_mode}}}))
        port_file = self.profile / "DevToolsActivePort"
        port_file.unlink(missing_ok=True)
        for name in ("SingletonLock", "SingletonCookie", "SingletonSocket"):  # left behind by a kill -9
            (self.profile / name).unlink(missing_ok=True)
        command = [BINARY, *FLAGS, f"--user-data-dir={self.profile}", "--remote-debugging-port=0", *self._flags]
        if self._headless:
            command.append("--headless=new")
        if self.extension_folder:
            command.append(f"--load-extension={','.join(map(str, (self.extension_folder, *self._others)))}")
        command.append("about:blank")
        self._log = open(self._folder / "chromium.log", "ab")  # noqa: SIM115 (lives as long as the process)
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log, start_new_session=True
        )

        def address() -> str | None:
            if self._process and self._process.poll() is not None:
                raise RuntimeError(f"chromium ended at once: {self.log()[-2000:]}")
            lines = port_file.read_text().split("\n") if port_file.exists() else []
            return f"ws://127.0.0.1:{lines[0]}{lines[1]}" if len(lines) > 1 and lines[1] else None

        try:
            url = eventually(address, timeout, "chromium opens its debugging port")
            assert url
            self._cdp = Cdp(url)
        except BaseException:
            self.kill()
            raise

    @property
    def cdp(self) -> Cdp:
        if self._cdp is None:
            raise CdpError("the browser does not run")
        return self._cdp

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def log(self) -> str:
        """What Chromium itself wrote to its output."""
        return (self._folder / "chromium.log").read_text(errors="replace")

    def processes(self) -> list[int]:
        """Every process of this browser: the first one and all that descend from it or are in its process group."""
        if self._process is None:
            return []
        parents: dict[int, int] = {}
        groups: dict[int, int] = {}
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    fields = Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()
                except OSError:
                    continue
                parents[int(entry)], groups[int(entry)] = int(fields[1]), int(fields[2])
        found = {pid for pid, group in groups.items() if group == self._process.pid}
        grown = True
        while grown:
            more = {pid for pid, parent in parents.items() if parent in found} - found
            found |= more
            grown = bool(more)
        return sorted(found)

    def cpu_seconds(self) -> float:
        """CPU time that all its processes have used so far."""
        return sum(self._cpu(pid) for pid in self.processes())

    def renderers(self) -> list[int]:
        """The renderer processes that run now."""
        found = []
        for pid in self.processes():
            try:
                if b"--type=renderer" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    found.append(pid)
            except OSError:
                continue
        return found

    @staticmethod
    def _cpu(pid: int) -> float:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def suspend(self) -> None:
        """SIGSTOP for every process of it: the lid of the laptop is closed."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        for pid in self.processes():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def kill(self) -> None:
        """kill -9 for every process of it. The profile stays: `start()` goes on with it."""
        if self._process is None:
            return
        self._signal(signal.SIGKILL)
        self._process.wait(10)
        self._signal(signal.SIGKILL)  # those born meanwhile; the group keeps its number as long as one lives
        self._forget()

    def quit(self, timeout: float = 10.0) -> None:
        """Ends it in order. The profile stays."""
        if self._process is None:
            return
        try:
            self.cdp.post("Browser.close")
            self._process.wait(timeout)
        except (CdpError, subprocess.TimeoutExpired):
            pass
        self.kill()

    def restart(self) -> None:
        self.quit()
        self.start()

    def _forget(self) -> None:
        if self._cdp:
            self._cdp.close()
        self._cdp = None
        self._process = None
        self._log.close()

    def close(self) -> None:
        """Ends it and removes everything temporary."""
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Chromium:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # tabs

    def open(self, url: str = "about:blank", *, wait: bool = True, background: bool = False) -> Tab:
        """Opens a tab; with `wait`, returns once its document is complete."""
        target = self.cdp.call("Target.createTarget", url=url, background=background)["targetId"]
        tab = Tab(self, target)
        if wait and url != "about:blank":
            tab.wait_loaded()
        return tab

    def tabs(self) -> list[Tab]:
        return [Tab(self, info["targetId"]) for info in self.cdp.targets() if info["type"] == "page"]

    # the extension

    def extension_url(self, path: str) -> str:
        return f"chrome-extension://{self.extension_id}/{path}"

    def popup(self) -> Tab:
        """The popup's page, opened as a tab."""
        return self.open(self.extension_url("popup.html"))

    def other_id(self) -> str:
        """Takes the key out of the extension's manifest, before the start, and so gives it an id of its own; that id."""
        assert self.extension_folder and self._process is None
        manifest = self.extension_folder / "manifest.json"
        members = json.loads(manifest.read_text())
        del members["key"]
        manifest.write_text(json.dumps(members))
        self.extension_id = hashlib.sha256(str(self.extension_folder).encode()).hexdigest()[:32].translate(str.maketrans("0123456789abcdef", "abcdefghijklmnop"))
        return self.extension_id

    def _extension_target(self, kind: str) -> str | None:
        for info in self.cdp.targets():
            if not info["url"].startswith(f"chrome-extension://{self.extension_id}/"):
                continue
            if kind == "worker" and info["type"] == "service_worker":
                return str(info["targetId"])
            if kind == "offscreen" and info["url"].endswith("/offscreen.html") and info["type"] != "worker":
                return str(info["targetId"])
        return None

    def worker_runs(self) -> bool:
        return self._extension_target("worker") is not None

    def offscreen_runs(self) -> bool:
        return self._extension_target("offscreen") is not None

    def wait_extension(self, timeout: float = 15.0) -> None:
        """Waits until the offscreen document is there; says what Chrome has against the extension where it did not load."""
        refused: list[str] = []

        def there() -> bool:
            refused[:] = [line for line in self.log().splitlines() if "Failed to load extension" in line]
            return bool(refused) or self.offscreen_runs()

        eventually(there, timeout, "the offscreen document is there")
        assert not refused, refused[0]

    def worker(self, expression: str, timeout: float = 30.0) -> Any:
        """Evaluates in the service worker. It is woken first where it sleeps; it may sleep again afterwards."""
        if not self.worker_runs():
            self.wait_extension()
            self.offscreen("navigator.serviceWorker.ready.then(r => { r.active.postMessage({kind: 'keep'}) })")
        target = eventually(lambda: self._extension_target("worker"), 10, "the service worker runs")
        assert target
        with self.cdp.attached(target) as session:
            # A worker that is being started has no chrome.* yet.
            eventually(lambda: self.cdp.evaluate(session, "typeof globalThis.chrome?.tabs") == "object", 10, "the worker is up")
            return self.cdp.evaluate(session, expression, timeout)

    def offscreen(self, expression: str, timeout: float = 30.0) -> Any:
        """Evaluates in the offscreen document."""
        target = eventually(lambda: self._extension_target("offscreen"), 15, "the offscreen document is there")
        assert target
        with self.cdp.attached(target) as session:
            # A document that is being loaded has no chrome.* yet.
            eventually(lambda: self.cdp.evaluate(session, "typeof globalThis.chrome?.runtime?.getURL") == "function", 10, "the offscreen document is up")
            return self.cdp.evaluate(session, expression, timeout)

    def stored(self, store: str) -> list[Any]:
        """What a store of the extension's database holds; all of it is on disk: a strict write waits for those before it."""
        return list(self.offscreen(STORED.replace("STORE", store)))

    def kill_worker(self) -> None:
        """Ends the service worker, as Chrome does when it has been idle, and waits until the offscreen document knows of it.

        Nothing happens where it sleeps already.
        """
        target = self._extension_target("worker")
        if target is None:
            return
        lived = self._worker_locks() or set()
        self.cdp.call("Target.closeTarget", targetId=target)
        eventually(lambda: self._extension_target("worker") != target, 10, "the worker is gone")

        def known() -> bool:
            now = self._worker_locks()
            return now is not None and not lived & now

        eventually(known, 10, "the offscreen document knows that the worker is gone")

    def _worker_locks(self) -> set[str] | None:
        """Names of the locks that runs of the worker hold, and that the offscreen document waits for: it has one for a moment when
        that run has died, and knows it then. None where it does not answer; nothing where there is no such document."""
        target = self._extension_target("offscreen")
        if target is None:
            return set()
        names = "navigator.locks.query().then(all => [...all.held, ...all.pending].map(lock => lock.name))"
        with self.cdp.attached(target) as session:
            found = self.cdp.glance(session, names)
        return None if found is None else {name for name in found if name.startswith("any-worker-")}

    def close_offscreen(self) -> None:
        """Closes the offscreen document behind the extension's back."""
        target = self._extension_target("offscreen")
        assert target, "there is no offscreen document"
        self.cdp.call("Target.closeTarget", targetId=target)
        eventually(lambda: self._extension_target("offscreen") != target, 10, "the offscreen document is gone")

    def reload_extension(self) -> None:
        """As the reload button on chrome://extensions does; the files are read anew."""
        self._private(f"chrome.developerPrivate.reload('{EXTENSION_ID}', {{failQuietly: true}})")

    def set_switches(
        self, *, user_scripts: bool | None = None, incognito: bool | None = None, file_urls: bool | None = None
    ) -> None:
        """The switches on chrome://extensions. Chrome reloads the extension for incognito and file URLs."""
        for name, value in (("userScriptsAccess", user_scripts), ("incognitoAccess", incognito), ("fileAccess", file_urls)):
            if value is not None:
                update = json.dumps({"extensionId": EXTENSION_ID, name: value})
                self._private(f"chrome.developerPrivate.updateExtensionConfiguration({update})")

    def set_site_access(self, access: str, *sites: str) -> None:
        """"ON_CLICK", "ON_SPECIFIC_SITES" (those named, as match patterns) or "ON_ALL_SITES", on the extension's page of chrome://extensions."""
        self._private(f"chrome.developerPrivate.updateExtensionConfiguration({json.dumps({'extensionId': EXTENSION_ID, 'hostAccess': access})})")
        for site in sites:
            self._private(f"chrome.developerPrivate.addHostPermission('{EXTENSION_ID}', {json.dumps(site)})")

    def collect_errors(self) -> None:
        """Makes chrome://extensions keep the extension's errors from now on; reloads the extension, so that manifest
        warnings are among them. `extension_info()` shows them as manifestErrors and runtimeErrors."""
        update = json.dumps({"extensionId": EXTENSION_ID, "errorCollection": True})
        self._private(f"chrome.developerPrivate.updateExtensionConfiguration({update})")
        self.reload_extension()
        self.wait_extension()

    def extension_info(self) -> dict[str, Any]:
        """What chrome://extensions knows: errors, warnings, switches …"""
        info: dict[str, Any] = self._private(f"chrome.developerPrivate.getExtensionInfo('{EXTENSION_ID}')")
        return info

    def _private(self, expression: str) -> Any:
        tab = self.open("chrome://extensions", background=True)
        try:
            eventually(lambda: tab.evaluate("typeof chrome.developerPrivate") == "object", 10, "chrome://extensions is there")
            return tab.evaluate(expression)
        finally:
            tab.close()
