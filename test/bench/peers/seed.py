"""The seeds' own designs on FastAPI: a dictionary of sockets that is written to by HTTP, or a Redis subscription per socket."""

import asyncio
import json
import os
import socket
import uuid

import redis.asyncio
import uvicorn
from fastapi import FastAPI, Request, WebSocket, WebSocketDisconnect

REDIS_PORT = os.environ.get("REDIS_PORT")

sessions: dict[str, list[WebSocket]] = {}
lock = asyncio.Lock()


async def push_to_user(user: str, payload: dict) -> bool:
    raw = json.dumps(payload, ensure_ascii=False)
    delivered = False
    for session in list(sessions.get(user, [])):
        try:
            await session.send_text(raw)
            delivered = True
        except Exception:
            pass
    return delivered


async def forward(ws: WebSocket, user: str) -> None:
    """What the service publishes for a user goes to this socket: each has a subscription of its own."""
    client = redis.asyncio.Redis(port=int(REDIS_PORT))
    pubsub = client.pubsub()
    try:
        await pubsub.subscribe(f"webchat:{user}")
        await pubsub.get_message(timeout=None)
        await ws.send_text(json.dumps({"type": "ready", "session": str(uuid.uuid4())}))
        while True:
            message = await pubsub.get_message(ignore_subscribe_messages=True, timeout=1.0)
            if message:
                await ws.send_json(json.loads(message["data"]))
    finally:
        await pubsub.close()
        await client.close()


app = FastAPI()


@app.get("/")
async def alive():
    return {"ok": True}


@app.websocket("/ws/{user}")
async def connect(ws: WebSocket, user: str) -> None:
    await ws.accept()
    async with lock:
        sessions.setdefault(user, []).append(ws)
    if REDIS_PORT:
        forwarding = asyncio.create_task(forward(ws, user))
    else:
        await ws.send_text(json.dumps({"type": "ready", "session": str(uuid.uuid4())}))
    try:
        while True:
            await ws.receive_text()
    except WebSocketDisconnect:
        pass
    finally:
        if REDIS_PORT:
            forwarding.cancel()
        async with lock:
            sessions[user].remove(ws)
            if not sessions[user]:
                del sessions[user]


@app.post("/outbound/{user}")
async def outbound(user: str, request: Request):
    carry = b""
    async for piece in request.stream():
        *lines, carry = (carry + piece).split(b"\n")
        for line in lines:
            await push_to_user(user, json.loads(line))
    return {"ok": True}


if __name__ == "__main__":
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", 0))
    listening.listen(4096)
    print(f"listening on {listening.getsockname()[1]}", flush=True)
    config = uvicorn.Config(app, log_level="warning", access_log=False, ws_per_message_deflate=False)
    uvicorn.Server(config).run(sockets=[listening])
