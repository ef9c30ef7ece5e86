"""Serves an ASGI application on a real port."""

from __future__ import annotations

import socket
import threading

import uvicorn


def run_server(application, host="127.0.0.1"):
    """Starts uvicorn; returns its port and what stops it."""
    sock = socket.socket(
        proto=socket.IPPROTO_TCP
    )  # else asyncio leaves the delay of Nagle on (40 ms an answer)
    sock.bind((host, 0))
    config = uvicorn.Config(application, log_level="warning", timeout_graceful_shutdown=5)
    server = uvicorn.Server(config)
    ready = threading.Event()
    original = server.startup

    async def startup(sockets=None):
        await original(sockets)
        ready.set()

    server.startup = startup
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, daemon=True)
    thread.start()
    assert ready.wait(10)

    def stop():
        server.should_exit = True
        thread.join(10)
        sock.close()

    return sock.getsockname()[1], stop
