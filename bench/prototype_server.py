"""The first prototype's design, written anew for the comparison in bench/: FastAPI, tasks in a dictionary in memory.

    python bench/prototype_server.py --port 9100

POST /task hands a task to one browser on WS /events, GET /task/{id} tells how it stands, and the browser
posts its end to POST /task/{id}. Nothing is on disk, nothing is retried: what the daemon is measured against.
"""

from __future__ import annotations

import argparse
import asyncio
from typing import Any

import uvicorn
from fastapi import FastAPI, HTTPException, WebSocket, WebSocketDisconnect
from pydantic import BaseModel


class Task(BaseModel):
    id: str
    script: str
    timeout: float = 30


class Result(BaseModel):
    task_id: str
    status: str
    output: Any = None
    error: Any = None


app = FastAPI()
tasks: dict[str, Task] = {}
states: dict[str, str] = {}
results: dict[str, Result] = {}
queue: asyncio.Queue[Task] = asyncio.Queue()


@app.get("/health")
async def health() -> dict[str, Any]:
    return {"ok": True}


@app.post("/task")
async def submit(task: Task) -> dict[str, Any]:
    if task.id in tasks:
        raise HTTPException(400, "the task exists already")
    tasks[task.id] = task
    states[task.id] = "queued"
    queue.put_nowait(task)
    return {"ok": True, "id": task.id}


@app.get("/task/{task_id}")
async def show(task_id: str) -> dict[str, Any]:
    if task_id not in tasks:
        raise HTTPException(404, "no such task")
    return {"task": tasks[task_id], "status": states[task_id], "result": results.get(task_id)}


@app.post("/task/{task_id}")
async def finish(task_id: str, result: Result) -> dict[str, Any]:
    if task_id not in tasks:
        raise HTTPException(404, "no such task")
    results[task_id] = result
    states[task_id] = result.status
    return {"ok": True}


@app.websocket("/events")
async def events(socket: WebSocket) -> None:
    await socket.accept()
    while True:
        task = await queue.get()
        try:
            await socket.send_json(task.model_dump())
        except (WebSocketDisconnect, RuntimeError):
            queue.put_nowait(task)
            return
        states[task.id] = "dispatched"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--port", type=int, default=9100)
    # As one runs such a program: uvicorn's own defaults, but for the access log, which would only slow it.
    uvicorn.run(app, host="127.0.0.1", port=parser.parse_args().port, access_log=False)
