"""Calls one method of the Python SDK, as the tests say it: `{"do": name, "args": […], "options": {…}}` on standard input."""

import base64
import json
import os
import sys
from types import SimpleNamespace

from starwire import StarwireError, WebChatPlatform, verify_webhook

call = json.load(sys.stdin)
args, options = call["args"], call["options"]
starwire = WebChatPlatform.from_environment(os.environ, retry_s=5)


def view(child):
    return SimpleNamespace(**child)


def stream(channel, turn, parts):
    """Writes texts to a turn, one after the other, and ends it."""
    reply = starwire.stream(channel=channel, turn=turn)
    for part in parts:
        reply.text(part)
    return reply.done()


def sse_queue(request, parts, remove):
    reply = starwire.create_sse_queue(request)
    for part in parts:
        reply.text(part)
    if remove:
        starwire.remove_sse_queue(request)
    else:
        reply.done()


calls = {
    "state": lambda: {"name": starwire.name, "is_running": starwire.is_running, "bot_identity": starwire.bot_identity},
    "start_and_state": lambda: (starwire.start(), calls["state"]())[1],
    "stop_and_state": lambda: (starwire.stop(), calls["state"]())[1],
    "send_file": lambda channel, data, *rest: starwire.send_file(channel, base64.b64decode(data), *rest),
    "send_with_view": lambda channel, text, children: starwire.send_with_buttons(
        channel, text, SimpleNamespace(children=[view(child) for child in children])
    ),
    "stream": stream,
    "sse_queue": sse_queue,
    "verify": lambda headers, body, secrets: verify_webhook(headers, body.encode(), secrets),
}
do = calls.get(call["do"]) or getattr(starwire, call["do"])

try:
    answer = {"value": do(*args, **options)}
except StarwireError as error:
    answer = {"error": {"code": error.code, "status": error.status, "retryable": error.retryable}}
json.dump(answer, sys.stdout)
