"""The seeds' own design: a FastAPI gateway with a dictionary of sockets; results come over Redis pub/sub or by HTTP."""

import asyncio
import json
import os
import socket
import uuid

import redis.asyncio
import uvicorn
from fastapi import FastAPI, Request, WebSocket, WebSocketDisconnect
from fastapi.responses import StreamingResponse

REDIS_PORT = os.environ.get("REDIS_PORT")
SOCKETS = "bench:outbound"

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


async def consume_outbound() -> None:
    client = redis.asyncio.Redis(port=int(REDIS_PORT))
    pubsub = client.pubsub()
    await pubsub.subscribe(SOCKETS)
    async for message in pubsub.listen():
        if message["type"] == "message":
            event = json.loads(message["data"])
            await push_to_user(event["user"], event["payload"])


app = FastAPI()
background: set[asyncio.Task] = set()


@app.on_event("startup")
async def start() -> None:
    if REDIS_PORT:
        background.add(asyncio.create_task(consume_outbound()))


@app.get("/")
async def alive():
    return {"ok": True}


@app.websocket("/ws/{user}")
async def connect(ws: WebSocket, user: str) -> None:
    await ws.accept()
    async with lock:
        sessions.setdefault(user, []).append(ws)
    await ws.send_text(json.dumps({"type": "ready", "session": str(uuid.uuid4())}))
    try:
        while True:
            await ws.receive_text()
    except WebSocketDisconnect:
        pass
    finally:
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


@app.post("/v1/chat/completions")
async def completions(request: Request):
    """The worker that calls the model publishes to `sg:sse:{id}`; the request's own process subscribes and writes SSE."""
    body = await request.json()
    request_id = str(uuid.uuid4())
    client = redis.asyncio.Redis(port=int(REDIS_PORT))
    pubsub = client.pubsub()
    await pubsub.subscribe(f"sg:sse:{request_id}")
    await client.publish("bench:requests", json.dumps({"id": request_id, "body": body}))

    async def events():
        try:
            async for message in pubsub.listen():
                if message["type"] != "message":
                    continue
                payload = json.loads(message["data"])
                if payload is None:
                    yield "data: [DONE]\n\n"
                    return
                yield f"data: {json.dumps(payload)}\n\n"
        finally:
            await pubsub.aclose()
            await client.aclose()

    return StreamingResponse(events(), media_type="text/event-stream")


if __name__ == "__main__":
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", 0))
    listening.listen(4096)
    print(f"listening on {listening.getsockname()[1]}", flush=True)
    config = uvicorn.Config(app, log_level="warning", access_log=False, ws_per_message_deflate=False)
    uvicorn.Server(config).run(sockets=[listening])
