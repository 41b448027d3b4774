"""A café: offers buttons, and asks what it must know while the order is open."""

import os

from starwire import WebChatPlatform

starwire = WebChatPlatform.from_environment(os.environ)
port = int(os.environ.get("BOT_PORT", "9000"))

MENU = [
    {"label": "Coffee", "custom_id": "coffee", "emoji": "☕"},
    {"label": "Tea", "custom_id": "tea", "emoji": "🍵"},
]


def answer(message, reply):
    if message["type"] != "action":
        return reply.message("What may it be?", buttons=MENU)
    size = reply.ask("Which size?", choices=["small", "large"])
    reply.text(f"One {size} {message['extra']['custom_id']}, coming up.")
    # The buttons have done their work.
    menu = message["extra"]["message_id"]
    starwire.edit_message(message["channel_id"], menu, "What may it be? Thank you!", buttons=[])


starwire.serve(answer, port, on_ready=lambda: print(f"Buttons bot ready on port {port}", flush=True))
