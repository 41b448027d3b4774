"""The service's side of Starwire: one file for Python 3.10 or newer, nothing but the standard library. Copy it."""

import base64
import binascii
import hashlib
import hmac
import http.client
import json
import queue
import random
import re
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote, urlencode, urlsplit

TOLERANCE_S = 300
FIRST_RETRY_S = 0.2
LONGEST_RETRY_S = 5
WORKED_S = 5
MOST_DELIVERY_BYTES = 4_194_304
REMEMBERED = 1_000
FAILED = {
    "label": "Error",
    "type": "upstream_error",
    "message": "The service could not answer.",
    "hint": "Send the message again.",
}
# What a reply meets when its turn has ended without it.
OVER = ("cancelled", "turn_finished")
TYPES = ("message", "action", "answer", "cancel", "completion")


class StarwireError(Exception):
    """A refusal of Starwire by its own `code`, or `unreachable`, `unauthorized`, `cancelled` of this side."""

    def __init__(self, code: str, message: str, *, status: int = 0, retryable: bool = False, **details):
        super().__init__(message)
        self.code, self.status, self.retryable, self.details = code, status, retryable, details


def _error(body: dict, status: int, **details) -> StarwireError:
    known = {"code": "internal", "message": "", "retryable": False, **body, **details}
    return StarwireError(known.pop("code"), known.pop("message"), status=status, **known)


def _unreachable(cause: BaseException) -> StarwireError:
    return StarwireError("unreachable", f"Starwire did not answer: {cause}", retryable=True)


def _read(response: http.client.HTTPResponse) -> dict:
    """The JSON of a response. Raises what it refuses."""
    text = response.read()
    if 200 <= response.status < 300:
        return json.loads(text)
    passing = response.status in (408, 425, 429) or response.status >= 500
    try:
        body = json.loads(text)["error"]
        body["code"]
    except (ValueError, KeyError, TypeError):
        # Something between answered in Starwire's place.
        body = {"code": f"http_{response.status}", "message": f"Starwire answered {response.status}"}
    details = {"retryable": body.get("retryable", passing)}
    for name, header in (("retry_after", "retry-after"), ("producer_epoch", "producer-epoch")):
        value = response.headers.get(header, "")
        if value.isdigit():
            details[name] = int(value)
    raise _error(body, response.status, **details)


class _Retry:
    """How long to wait before the next attempt; raises the failure where it is final or patience is at its end."""

    def __init__(self, retry_s: float):
        self.retry_s, self.failures, self.since, self.began = retry_s, 0, 0.0, time.monotonic()

    def after(self, error: StarwireError) -> float:
        now = time.monotonic()
        # What fails after a connection that worked is a failure anew.
        if self.failures == 0 or now - self.began > WORKED_S:
            self.failures, self.since = 0, now
        wait = min(LONGEST_RETRY_S, FIRST_RETRY_S * 2**self.failures) * random.uniform(0.5, 1)
        wait = max(wait, error.details.get("retry_after", 0))
        if not error.retryable or now + wait - self.since > self.retry_s:
            raise error
        self.failures += 1
        return wait


def verify_webhook(headers, body: bytes, secrets, *, tolerance_s: float = TOLERANCE_S) -> dict:
    """
    The delivery that `body` is, with its `webhook-id` as `id`. Standard Webhooks: HMAC-SHA256 over id, time and body,
    one signature per secret while they rotate. Raises `unauthorized` where it is not Starwire's.
    """

    def refuse(why: str) -> StarwireError:
        return StarwireError("unauthorized", f"the delivery cannot be trusted: {why}", status=401)

    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    message_id, sent, signatures = (headers.get(name) or "" for name in names)
    if not message_id or not re.fullmatch(r"[0-9]{1,12}", sent) or abs(time.time() - int(sent)) > tolerance_s:
        raise refuse("it is not signed, or not now")
    signed = f"{message_id}.{sent}.".encode() + body
    given = [one.encode() for one in signatures.split(" ")]
    genuine = False
    for secret in [secrets] if isinstance(secrets, str) else secrets:
        digest = base64.b64encode(hmac.new(_key(secret), signed, hashlib.sha256).digest())
        for one in given:
            genuine |= hmac.compare_digest(b"v1," + digest, one)
    if not genuine:
        raise refuse("its signature is wrong")
    message = json.loads(body)
    if message.get("type") not in TYPES:
        raise StarwireError("bad_request", 'the delivery\'s "type" is not known', status=400)
    return {**message, "id": message_id}


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        return secret.encode()


def _units(text: str) -> int:
    """Offsets count UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


class TurnStream:
    """
    One reply as it comes into being, over one NDJSON request; a context manager that ends the turn. Where a connection
    breaks, the same lines are sent again as the same request of the same producer, and count once. A process that was
    killed says the turn again from its beginning: text carries its offset, and `done` says what the whole text is.
    """

    def __init__(self, platform: "WebChatPlatform", channel: str, turn: str, *, tenant=None, continues=False):
        self.channel, self.turn, self.continues = channel, turn, continues
        self.begun = self.ended = False
        self._platform = platform
        self._address = {"channel": channel, "turn": turn} | ({"tenant": tenant} if tenant else {})
        self._cancelled = threading.Event()
        self._lines: list[bytes] = []
        self._questions: dict[str, queue.SimpleQueue] = {}
        # An answer may come, and be replied to, while the reply is still being written.
        self._lock = threading.RLock()
        self._text: list[str] = []
        self._lengths = {"text": 0, "reasoning": 0}
        self._streamed = self._replied = False
        # Time orders the lives of a reply.
        self._epoch = int(time.time() * 1000)
        self._retry = _Retry(platform.retry_s)
        self._connection: http.client.HTTPConnection | None = None
        # Lines that this connection has taken.
        self._sent = 0

    @property
    def cancelled(self) -> bool:
        """The user has stopped the turn: so should the model."""
        return self._cancelled.is_set()

    def cancel(self) -> None:
        self._cancelled.set()

    def text(self, text: str) -> None:
        """Adds text. Returns when the network has taken it."""
        with self._lock:
            if text:
                self._streamed = True
                self._text.append(text)
                self._chunk("text", text)

    def reasoning(self, text: str) -> None:
        """Adds to what the model thinks before it speaks."""
        with self._lock:
            if text:
                self._chunk("reasoning", text, reasoning=True)

    def _chunk(self, kind: str, text: str, **fields) -> None:
        offset = {} if self.continues else {"offset": self._lengths[kind]}
        self._lengths[kind] += _units(text)
        self.event(kind="chunk", text=text, **offset, **fields)

    def tool(self, tool: str, name: str, status: str, **fields) -> None:
        """Shows a tool at work; the same `tool` again tells how it ended."""
        self.event(kind="tool", tool=tool, name=name, status=status, **fields)

    def prompt(self, question: str, *, prompt: str | None = None, **fields) -> str:
        """Asks the user something. Returns the prompt's id; the answer is delivered as `answer`."""
        prompt = prompt or f"prompt_{uuid.uuid4()}"
        self.event(kind="prompt", question=question, prompt=prompt, **fields)
        return prompt

    def ask(self, question: str, *, prompt: str | None = None, **fields):
        """Asks, and waits for the answer, which must come to the `serve` of this very process."""
        prompt = prompt or f"prompt_{uuid.uuid4()}"
        answers = self._questions[prompt] = queue.SimpleQueue()
        try:
            self.prompt(question, prompt=prompt, **fields)
            while True:
                self._require_wanted()
                try:
                    return answers.get(timeout=0.2)
                except queue.Empty:
                    pass
        finally:
            del self._questions[prompt]

    def _answer(self, prompt: str, value) -> bool:
        answers = self._questions.get(prompt)
        if answers is not None:
            answers.put(value)
        return answers is not None

    def message(self, text: str, *, buttons=None) -> None:
        """Says the reply whole, in place of its text so far; it may have buttons."""
        if not self._replied:
            self._replied, self._streamed, self._text = True, False, [text]
            self._lengths["text"] = _units(text)
        self.event(kind="message", text=text, **({"buttons": buttons} if buttons else {}))

    def file(self, data: bytes, filename: str, mimetype: str = "application/octet-stream") -> None:
        self.event(kind="file", filename=filename, mimetype=mimetype, data=base64.b64encode(data).decode())

    def done(self, **fields) -> dict:
        """Ends the turn; `usage`, `finish_reason`. Returns when all of it is durable; raises what was refused of it."""
        whole = {"text": "".join(self._text)} if self._streamed and not self.continues else {}
        return self._end(kind="done", **whole, **fields)

    def fail(self, **failure) -> dict:
        """Ends the turn as failed: `label`, `type`, `message`, `hint`. What was said is kept."""
        return self._end(kind="error", **failure)

    def pipe(self, parts) -> dict:
        """Writes every text that `parts` gives, and ends the turn."""
        for part in parts:
            self.text(part)
        return self.done()

    def event(self, **event) -> None:
        """Writes an event as it is."""
        with self._lock:
            self._append(event)
            self._deliver()

    def _end(self, **event) -> dict:
        with self._lock:
            self._append(event)
            self.ended = True
            results = self._deliver(to_the_end=True)
        for result in results:
            refused = result.get("error")
            # A prompt that is there already was asked by an earlier life of this reply.
            if refused and (refused["code"], refused.get("field")) != ("conflict", "prompt"):
                raise _error(refused, 200)
        return results[-1]

    def _append(self, event: dict) -> None:
        if self.ended:
            raise StarwireError("turn_finished", "this reply was ended before")
        self._require_wanted()
        self.begun = True
        self._lines.append(json.dumps({**self._address, **event}).encode() + b"\n")

    def _require_wanted(self) -> None:
        if self.cancelled:
            self._give_up()
            raise StarwireError("cancelled", "the turn was cancelled")

    def _deliver(self, to_the_end: bool = False) -> list:
        """Sends the lines that wait, on another connection from the first one on where the last one broke."""
        while True:
            try:
                if self._connection is None:
                    self._open()
                while self._sent < len(self._lines):
                    lines = self._lines[self._sent : self._sent + 512]
                    self._send(b"".join(lines))
                    self._sent += len(lines)
                if not to_the_end:
                    return []
                self._connection.send(b"0\r\n\r\n")
                results = _read(self._connection.getresponse())["results"]
                self._close()
                return results
            except StarwireError as error:
                failure = error
            except (OSError, http.client.HTTPException, ValueError) as error:
                failure = self._refusal() or _unreachable(error)
            self._close()
            fence = failure.details.get("producer_epoch", -1)
            # An epoch of the future is no newer life of this reply: some clock is wrong.
            if fence >= self._epoch and fence > time.time() * 1000:
                self._epoch = fence + 1
                continue
            try:
                wait = self._retry.after(failure)
            except StarwireError:
                self._give_up()
                raise
            self._cancelled.wait(wait)
            self._require_wanted()

    def _open(self) -> None:
        self._retry.began = time.monotonic()
        self._sent = 0
        self._connection = self._platform._connect()
        headers = {
            "Content-Type": "application/x-ndjson",
            "Transfer-Encoding": "chunked",
            "Producer-Id": f"turn {self.turn}",
            "Producer-Epoch": str(self._epoch),
            "Producer-Seq": "0",
        }
        self._platform._begin(self._connection, "POST", "/outbound", headers)

    def _send(self, data: bytes) -> None:
        self._connection.send(b"%x\r\n%s\r\n" % (len(data), data))

    def _refusal(self) -> StarwireError | None:
        """Starwire may have answered before it broke the connection."""
        try:
            self._connection.sock.settimeout(1)
            _read(self._connection.getresponse())
        except StarwireError as refusal:
            return refusal
        except (OSError, http.client.HTTPException, ValueError, AttributeError):
            pass
        return None

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _give_up(self) -> None:
        self._close()
        self.ended = True
        with self._platform._lock:
            self._platform._streams.discard(self)

    def __enter__(self) -> "TurnStream":
        with self._platform._lock:
            self._platform._streams.add(self)
        return self

    def __exit__(self, kind, error, _) -> bool:
        """Ends what was begun; as failed where something was raised. A turn that is over already needs nobody."""
        try:
            if error is None:
                if self.begun and not self.ended:
                    self.done()
            elif not self.ended:
                self.fail(**FAILED)
        except StarwireError as refused:
            if refused.code not in OVER:
                raise
        finally:
            self._give_up()
        return isinstance(error, StarwireError) and error.code in OVER


class WebChatPlatform:
    """
    Starwire as an inference service sees it. A `channel` is `webchat:{user}`, `sse:{request}`, or a plain user id.
    Everything is sent under a key and repeated while Starwire cannot be reached, and counts once. Failures are
    `StarwireError`s.
    """

    name = "webchat"

    def __init__(self, url: str, token: str, *, secrets=(), tenant=None, retry_s: float = 60, timeout_s: float = 30):
        self._url = urlsplit(url.rstrip("/"))
        self._token, self._secrets, self._tenant = token, list(secrets), tenant
        self.retry_s, self._timeout_s = retry_s, timeout_s
        self._streams: set[TurnStream] = set()
        self._queues: dict[str, TurnStream] = {}
        self._accepted: dict[str, None] = {}
        self._lock = threading.Lock()
        self.is_running = False
        self.bot_identity = {"platform": "webchat", "user_id": "star", "display_name": "Star", "mention": "@Star"}

    @classmethod
    def from_environment(cls, env, **options) -> "WebChatPlatform":
        """From `STARWIRE_URL`, and `INTERNAL_TOKEN` and `UPSTREAM_WEBHOOK_SECRET` as Starwire itself has them."""
        token = _list(env["INTERNAL_TOKEN"])[0]
        secrets = _list(env.get("UPSTREAM_WEBHOOK_SECRET", ""))
        return cls(env.get("STARWIRE_URL", "http://127.0.0.1:8787"), token, secrets=secrets, **options)

    def start(self) -> None:
        """Counts as running from now on; connections are not touched."""
        self._state(self._call("POST", "/platform/start"))

    def stop(self) -> None:
        self._state(self._call("POST", "/platform/stop"))

    def _state(self, state: dict) -> None:
        self.is_running, self.bot_identity = state["is_running"], state["bot_identity"]

    def send(self, channel: str, text: str, **options) -> str:
        """
        Sends a message. Returns its id, also where nobody was there: it waits for them. Options of all that is sent:
        `tenant`, `conversation`, `turn`, `reply_to`, and a `key` under which it counts once.
        """
        return self._one(channel, kind="message", text=text, **options)["id"]

    def send_file(
        self, channel: str, data: bytes, filename: str, mimetype="application/octet-stream", **options
    ) -> str:
        """Sends a file. Returns its `webchat://file/{id}/{filename}`."""
        content = base64.b64encode(data).decode()
        file = {"kind": "file", "filename": filename, "mimetype": mimetype, "data": content}
        return self._one(channel, **file, **options)["url"]

    def send_with_buttons(self, channel: str, text: str, view=None, **options) -> str:
        """Sends a message with buttons: a list of `{label, custom_id}`, or a view as discord.py has them."""
        return self._one(channel, kind="message", text=text, buttons=_buttons(view), **options)["id"]

    def edit_message(self, channel: str, message_id: str, new_text: str, **options) -> bool:
        """Says something else in place of a message. Returns whether anybody saw it at once."""
        return self._one(channel, kind="edit", id=message_id, text=new_text, **options)["delivered"]

    def start_typing(self, channel: str, **options) -> None:
        """Shows that the bot is typing. Where Starwire cannot be reached, nothing is lost."""
        self._typing(channel, True, options)

    def stop_typing(self, channel: str, **options) -> None:
        self._typing(channel, False, options)

    def _typing(self, channel: str, active: bool, options: dict) -> None:
        try:
            event = self._addressed(channel, {"kind": "typing", "active": active, **options})
            self._call("POST", "/outbound", event, retry_s=0)
        except StarwireError as error:
            if not error.retryable:
                raise

    def open_turn(self, channel: str, **options) -> str:
        """Opens a turn that no message asked for. Returns its id; under an `id` of your own it is opened once."""
        return self._one(channel, kind="turn", **options)["id"]

    def stream(
        self, message: dict | None = None, *, channel="", turn="", tenant=None, continues=False
    ) -> TurnStream:
        """
        The stream of a reply, to a delivery or to the turn that is named. Say it from its beginning, also in a process
        that was killed and has been started again: what Starwire has is passed over. With `continues` it goes on behind
        what is there.
        """
        if message is not None:
            channel, turn, tenant = message["channel_id"], message["turn"], message["tenant"]
            continues = continues or message["type"] == "answer"
        return TurnStream(self, _channel(channel), turn, tenant=tenant or self._tenant, continues=continues)

    def create_sse_queue(self, request_id: str) -> TurnStream:
        """The stream of a `/v1` request's reply. Pair it with `remove_sse_queue`."""
        stream = self._queues[request_id] = self.stream(channel=f"sse:{request_id}", turn=request_id)
        return stream

    def remove_sse_queue(self, request_id: str) -> None:
        """Lets a stream go. One that was begun and not ended ends as failed: it must not look complete."""
        stream = self._queues.pop(request_id, None)
        if stream and stream.begun and not stream.ended:
            stream.fail(label="Broken answer", message="The answer was not finished.")

    def fetch_history(self, channel: str, limit: int = 100, *, conversation=None, tenant=None) -> list:
        """The newest messages of a conversation, oldest first."""
        query = {"channel": _channel(channel), "limit": limit, "conversation": conversation}
        return self._call("GET", "/history", query={**query, "tenant": tenant or self._tenant})["messages"]

    def turn(self, turn: str) -> dict:
        """What is durable of a turn: `status`, `text_length`, `reasoning_length`."""
        return self._call("GET", f"/turns/{quote(turn, safe='')}")

    def users(self, *, tenant=None) -> dict:
        """Who is connected: `active_users`, `total_connections`."""
        return self._call("GET", "/users", query={"tenant": tenant or self._tenant})

    def sessions(self, user: str, *, tenant=None) -> list:
        """The sessions of one user: none where they are away."""
        return self._call("GET", f"/users/{quote(user, safe='')}", query={"tenant": tenant or self._tenant})["sessions"]

    def close_sessions(self, user: str, *, tenant=None) -> int:
        path = f"/users/{quote(user, safe='')}/sessions"
        return self._call("DELETE", path, query={"tenant": tenant or self._tenant})["closed"]

    def post(self, events: list, key: str | None = None) -> list:
        """Any events, in one request. Each has its own result, with an `error` where it was refused."""
        body = [({"tenant": self._tenant} if self._tenant else {}) | event for event in events]
        return self._call("POST", "/outbound", body, key=key or str(uuid.uuid4()))["results"]

    def receive(self, headers, body: bytes) -> dict:
        """Reads a delivery. Raises `unauthorized` where it is not Starwire's."""
        return verify_webhook(headers, body, self._secrets)

    def serve(
        self, on_message, port: int, *, host="127.0.0.1", on_accept=lambda message: None, on_ready=lambda: None
    ) -> None:
        """
        Takes deliveries, each accepted at once, and calls `on_message(message, reply)` for it in a thread of its own; for
        what must be done before it is accepted there is `on_accept(message)`. A reply that was begun is ended when it
        returns. A cancellation makes `reply` raise `cancelled`.
        """
        platform = self

        class Hook(BaseHTTPRequestHandler):
            def do_POST(self):
                size = self.headers.get("content-length", "")
                if not size.isdigit() or int(size) > MOST_DELIVERY_BYTES:
                    return self.answer(413 if size.isdigit() else 411)
                try:
                    message = platform.receive(self.headers, self.rfile.read(int(size)))
                except StarwireError as error:
                    return self.answer(error.status)
                if not platform._is_fresh(message):
                    return self.answer(202)
                on_accept(message)
                self.answer(202)
                under_way = next(platform._open(message["turn"]), None)
                if under_way is not None:
                    return on_message(message, under_way)
                with platform.stream(message) as reply:
                    on_message(message, reply)

            def answer(self, status: int) -> None:
                self.send_response(status)
                self.send_header("content-length", "0")
                self.send_header("connection", "close")
                self.end_headers()
                self.wfile.flush()

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer((host, port), Hook)
        on_ready()
        server.serve_forever()

    def _open(self, turn: str):
        """The streams of a turn that are open in this process."""
        with self._lock:
            return iter([stream for stream in self._streams if stream.turn == turn])

    def _is_fresh(self, message: dict) -> bool:
        """Whether a delivery is to be answered: it came for the first time, and no open reply waits for it."""
        if message["type"] == "cancel":
            for stream in self._open(message["turn"]):
                stream.cancel()
            return False
        if message["type"] == "answer":
            for stream in self._open(message["turn"]):
                if stream._answer(message["extra"]["prompt"], message["extra"]["value"]):
                    return False
        with self._lock:
            fresh = message["id"] not in self._accepted
            self._accepted[message["id"]] = None
            if len(self._accepted) > REMEMBERED:
                del self._accepted[next(iter(self._accepted))]
            return fresh

    def _one(self, channel: str, *, key: str | None = None, **event) -> dict:
        body = self._addressed(channel, event)
        return self._call("POST", "/outbound", body, key=key or str(uuid.uuid4()))["results"][0]

    def _addressed(self, channel: str, event: dict) -> dict:
        event = {"tenant": self._tenant, **event, "channel": _channel(channel)}
        return {name: value for name, value in event.items() if value is not None}

    def _call(self, method: str, path: str, body=None, *, query=None, key=None, retry_s=None) -> dict:
        """One call, repeated while Starwire cannot be reached; all of them may be."""
        given = {name: value for name, value in (query or {}).items() if value is not None}
        path += f"?{urlencode(given)}" if given else ""
        data = b"" if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "Content-Length": str(len(data))}
        if key is not None:
            headers["Idempotency-Key"] = key
        retry = _Retry(self.retry_s if retry_s is None else retry_s)
        while True:
            retry.began = time.monotonic()
            connection = self._connect()
            try:
                self._begin(connection, method, path, headers)
                connection.send(data)
                return _read(connection.getresponse())
            except StarwireError as error:
                failure = error
            except (OSError, http.client.HTTPException, ValueError) as error:
                failure = _unreachable(error)
            finally:
                connection.close()
            time.sleep(retry.after(failure))

    def _connect(self) -> http.client.HTTPConnection:
        secure = self._url.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        return kind(self._url.netloc, timeout=self._timeout_s)

    def _begin(self, connection, method: str, path: str, headers: dict) -> None:
        connection.putrequest(method, f"{self._url.path}/internal{path}")
        for name, value in {**headers, "Authorization": f"Bearer {self._token}"}.items():
            connection.putheader(name, value)
        connection.endheaders()


def _channel(channel: str) -> str:
    """A plain user id is that user's channel."""
    return channel if channel.startswith(("webchat:", "sse:")) else f"webchat:{channel}"


def _list(value: str) -> list[str]:
    return [one.strip() for one in value.split(",") if one.strip()]


def _buttons(view) -> list | None:
    if view is None or isinstance(view, list):
        return view
    # Of a Discord-style view every child that has a label; an emoji or a style may be an object with a name.
    buttons = [
        {name: getattr(child, name, None) or "" for name in ("label", "custom_id", "emoji", "style")}
        for child in view.children
        if hasattr(child, "label")
    ]
    return [
        {name: str(getattr(value, "name", value)) for name, value in button.items() if value or name == "custom_id"}
        for button in buttons
    ]
