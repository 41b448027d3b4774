"""Says what it hears, word by word."""

import os
import re
import time

from starwire import WebChatPlatform

starwire = WebChatPlatform.from_environment(os.environ)
port = int(os.environ.get("BOT_PORT", "9000"))


def answer(message, reply):
    for word in re.findall(r"\S+\s*", f"You said: {message['text']}"):
        reply.text(word)
        time.sleep(0.03)


starwire.serve(answer, port, on_ready=lambda: print(f"Echo bot ready on port {port}", flush=True))
