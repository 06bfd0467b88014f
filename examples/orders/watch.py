"""Prints the events of channels as they come; after a lost connection also what was missed meanwhile.

Run: python examples/orders/watch.py 1001.order 1002.order
It needs the `websockets` library. Ctrl-C ends it.
"""

import argparse
import asyncio
import contextlib
import json
import os
from collections import deque
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

URL = os.environ.get("ODIN_WS", "ws://127.0.0.1:3005/ws")


async def watch(url: str, channels: list[str], last: int) -> None:
    """Follow `channels` for ever, from the `last` events of each on; so too after a lost connection."""
    shown: deque[str] = deque(maxlen=last * len(channels) or 1)
    async for connection in connect(url):
        data = {"channels": channels, "from": {channel: {"last": last} for channel in channels if last}}
        await connection.send(json.dumps({"type": "subscribe", "data": data}))
        with contextlib.suppress(ConnectionClosed):
            async for frame in connection:
                message = json.loads(frame)
                if message.get("pos") not in shown:
                    show(message)
                if message["type"] == "event":
                    shown.append(message["pos"])


def show(message: dict[str, Any]) -> None:
    """One line for an event, and for what a reader should know of."""
    if message["type"] == "event":
        print(message["channel"], json.dumps(message["data"]), flush=True)
    elif message["type"] in ("error", "gap", "status", "draining"):
        print("#", json.dumps(message), flush=True)


def main() -> None:
    """Parse the command line and watch until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("channels", nargs="+", metavar="CHANNEL", help="for example 1001.order")
    parser.add_argument("--url", default=URL, help=f"the gateway (default {URL})")
    parser.add_argument("--last", type=int, default=10, help="events to begin with, per channel; 0 = none")
    options = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(watch(options.url, options.channels, options.last))


if __name__ == "__main__":
    main()
