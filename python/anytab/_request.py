"""The body of `tasks.submit`, made from what a program says."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any, Literal, Mapping, Optional, TypedDict, Union

__all__ = ["FrameUrl", "Script", "TabOpen", "TabUrl", "TaskOptions", "build_request"]

Script = Union[str, Path]
"""The body of an async function: its text, or the path of a file that holds it."""


class TabUrl(TypedDict):
    """The most recently used tab whose address matches a pattern like ``https://*.example/*``."""

    url: str


class _Open(TypedDict):
    open: str


class TabOpen(_Open, total=False):
    """A new tab. `background` (True): it does not come to the front; `keep` (False): it stays after the task's end."""

    background: bool
    keep: bool


class FrameUrl(TypedDict):
    """The frame whose address matches a pattern."""

    url: str



class TaskOptions(TypedDict, total=False):
    """Everything a task can be told, as keyword arguments. What is left out takes the daemon's default, given in brackets."""

    args: Any
    """[None] any JSON; the script sees it as `args`"""
    id: Optional[str]
    """[made up] the same id twice is the same task; with another body: ConflictError"""
    file: Optional[str]
    """[the name of a Path script, else "script.js"] the name that positions in errors carry"""
    browser: Optional[str]
    """[the most recently used one that fits] a browser's id or label"""
    tab: Union[Literal["active"], int, TabUrl, TabOpen]
    """["active"]"""
    frame: Union[Literal["main", "all"], int, FrameUrl]
    """["main"]; "all": the result is a list, one entry a frame"""
    world: Literal["main", "isolated", "user"]
    """["main"]"""
    timeout: Optional[float]
    """[30] seconds a page of the script may take; None: no limit"""
    queue_timeout: Optional[float]
    """[60] seconds until a browser has taken it; None: for ever; 0: fail at once"""
    retries: int
    """[0] further attempts after NavigatedError, TabClosedError, PageCrashedError and BrowserLostError; never after another error"""
    priority: int
    """[0] -1000 to 1000, higher first"""
    labels: Mapping[str, str]
    """[{}] what `tasks(label=…)` finds it by"""


def build_request(script: Script, options: Mapping[str, Any]) -> dict[str, Any]:
    """The request, its id made here, so that sending it twice makes one task.

    TypeError for an option that does not exist; OSError where a script's file cannot be read.
    """
    unknown = sorted(set(options) - set(TaskOptions.__annotations__))
    if unknown:
        raise TypeError(f"no such option: {', '.join(unknown)}; there are {', '.join(TaskOptions.__annotations__)}")
    request = dict(options)
    if isinstance(script, Path):
        request["script"] = script.read_text(encoding="utf-8-sig")
        if request.get("file") is None:
            request["file"] = script.name
    elif isinstance(script, str):
        request["script"] = script
    else:
        raise TypeError(f"the script is text or a Path, not {type(script).__name__}")
    if request.get("id") is None:
        request["id"] = uuid.uuid4().hex
    return request
