"""Run scripts in the browser you already use.

::

    from anytab import Browser

    with Browser() as b:                       # starts the daemon if none runs
        print(b.run("return document.title"))

`Browser` blocks, `AsyncBrowser` awaits; both are the same otherwise. Errors: see `anytab.errors`.
"""

from ._request import FrameUrl, Script, TabOpen, TabUrl, TaskOptions
from .aio import AsyncBrowser, AsyncTask
from .errors import *  # noqa: F403
from .errors import __all__ as _errors
from .records import Attempt, BrowserInfo, ConsoleLine, Event, LogLine, Record, TabInfo
from .sync import Browser, Task

__version__ = "0.1.0"

__all__ = [
    "AsyncBrowser",
    "AsyncTask",
    "Attempt",
    "Browser",
    "BrowserInfo",
    "ConsoleLine",
    "Event",
    "FrameUrl",
    "LogLine",
    "Record",
    "Script",
    "TabInfo",
    "TabOpen",
    "TabUrl",
    "Task",
    "TaskOptions",
    *_errors,
]
