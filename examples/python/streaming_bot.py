"""
Thinks, uses a tool, and counts as far as it is asked to. Kill it in mid-sentence and start it again: it says the reply from
the beginning, Starwire passes over what it has, and nobody sees a word twice.
"""

import json
import os
import re
import threading
import time
from pathlib import Path

from starwire import WebChatPlatform

starwire = WebChatPlatform.from_environment(os.environ)
port = int(os.environ.get("BOT_PORT", "9000"))
notes = Path(os.environ.get("BOT_STATE", ".bot"))
notes.mkdir(parents=True, exist_ok=True)


def note_of(message):
    return notes / f"{message['turn']}.json"


def write_down(message):
    """A message is this bot's own affair once it was accepted: it is kept until it is answered."""
    note_of(message).write_text(json.dumps(message))


def answer(message, reply):
    try:
        last = int((re.findall(r"\d+", message["text"]) or ["10"])[0])
        reply.reasoning(f"They want me to count to {last}.")
        reply.tool("abacus", "abacus", "running", args={"last": last})
        reply.tool("abacus", "abacus", "completed", result="ready")
        for n in range(1, last + 1):
            reply.text(f"{n} ")
            time.sleep(0.02)
        reply.done(usage={"input_tokens": 3, "output_tokens": last})
    finally:
        note_of(message).unlink()


def resume(message):
    with starwire.stream(message) as reply:
        answer(message, reply)


for note in notes.glob("*.json"):
    threading.Thread(target=resume, args=(json.loads(note.read_text()),)).start()

starwire.serve(
    answer,
    port,
    on_accept=write_down,
    on_ready=lambda: print(f"Streaming bot ready on port {port}", flush=True),
)
