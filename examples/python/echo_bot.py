"""An inference service for Starwire in plain Python 3: accepts what users say by webhook and streams its answer back."""

import base64
import hashlib
import hmac
import json
import os
import re
import time
from http.client import HTTPConnection, HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

STARWIRE = urlsplit(os.environ.get("STARWIRE_URL", "http://127.0.0.1:8787"))
TOKEN = os.environ["INTERNAL_TOKEN"]
SECRET = base64.b64decode(os.environ["UPSTREAM_WEBHOOK_SECRET"].removeprefix("whsec_"))
PORT = int(os.environ.get("BOT_PORT", "9000"))
TOLERANCE_S = 300


def is_genuine(headers, body: bytes) -> bool:
    """Standard Webhooks: HMAC-SHA256 over id, time and body; several signatures while secrets rotate."""
    message_id, sent = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not sent.isdigit() or abs(time.time() - int(sent)) > TOLERANCE_S:
        return False
    signed = f"{message_id}.{sent}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.new(SECRET, signed, hashlib.sha256).digest()).decode()
    given = headers.get("webhook-signature", "").split(" ")
    return any(hmac.compare_digest(expected.encode(), one.encode()) for one in given)


def answer(channel: str, turn: str, text: str):
    """The events of a reply, one line of NDJSON each, as they come into being."""
    for word in re.findall(r"\S+\s*", text):
        yield line(channel=channel, turn=turn, kind="chunk", text=word)
        time.sleep(0.03)
    yield line(channel=channel, turn=turn, kind="done")


def line(**event) -> bytes:
    return json.dumps(event).encode() + b"\n"


def send(events, key: str) -> int:
    """Streams events to Starwire; under the same key they count once, however often a delivery comes."""
    connection = (HTTPSConnection if STARWIRE.scheme == "https" else HTTPConnection)(STARWIRE.netloc)
    headers = {
        "Authorization": f"Bearer {TOKEN}",
        "Content-Type": "application/x-ndjson",
        "Idempotency-Key": key,
        "Transfer-Encoding": "chunked",
    }
    connection.request("POST", "/internal/outbound", events, headers, encode_chunked=True)
    response = connection.getresponse()
    response.read()
    connection.close()
    return response.status


class Hook(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        genuine = is_genuine(self.headers, body)
        # Accepted at once: from here on the answer is this bot's own affair.
        self.send_response(202 if genuine else 401)
        self.send_header("content-length", "0")
        self.end_headers()
        self.wfile.flush()
        if not genuine:
            return
        message = json.loads(body)
        if message["type"] == "cancel":
            return
        events = answer(message["channel_id"], message["turn"], f"You said: {message['text']}")
        print(message["type"], message["turn"], send(events, self.headers["webhook-id"]), flush=True)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", PORT), Hook)
    print(f"Echo bot ready on port {PORT}", flush=True)
    server.serve_forever()
