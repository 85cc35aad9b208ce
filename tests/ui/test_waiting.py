"""Who waits for their turn: how many are ahead, and leaving the queue; a small page, the real hosting."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import httpx

from app.serving.visitors import count_ahead, withdraw
from app.words import waiting
from tests.ui.served import Server, serve  # noqa: F401

# ruff: noqa: F811


def test_everybody_knows_how_many_are_ahead(serve: Callable[..., Server]) -> None:
    """Prevents a visitor who waits without a word, and one who is counted behind themselves."""
    server = serve()
    assert count_ahead(server.page) == 0
    for session in "abc":
        server.call(session=session)
    server.wait_for(waiting=2, running=1)
    assert count_ahead(server.page) == 3
    assert [count_ahead(server.page, session) for session in "abc"] == [None, 1, 2]
    assert count_ahead(server.page, "somebody else") is None
    server.go.set()
    server.wait_for(waiting=0, running=0)
    assert count_ahead(server.page, "c") is None


def test_who_leaves_the_queue_is_answered_and_makes_room(serve: Callable[..., Server]) -> None:
    """Prevents a cancelled request from being painted later, or its page from waiting for ever."""
    server = serve()
    heard: list[str] = []

    def listen() -> None:
        address = f"{server.address}gradio_api/queue/data?session_hash=b"
        with httpx.stream("GET", address, timeout=30) as stream:
            heard.extend(line for line in stream.iter_lines() if "process_" in line)

    for session in "abc":
        server.call(session=session)
    listener = threading.Thread(target=listen)
    listener.start()
    server.wait_for(waiting=2, running=1)
    assert asyncio.run(withdraw(server.page, "b"))
    server.wait_for(waiting=1, running=1)
    listener.join(20)
    assert not listener.is_alive()
    assert len(heard) == 1 and '"process_completed"' in heard[0] and '"success":true' in heard[0]
    assert not asyncio.run(withdraw(server.page, "b")) and not asyncio.run(withdraw(server.page, "a"))
    assert count_ahead(server.page, "c") == 1


def test_the_sentence_counts() -> None:
    """Prevents "0 ahead of you", and a bar that stands still while others are served."""
    assert "Waiting: 2 ahead of you." in waiting(2) and "progressbar" not in waiting(2)
    assert "progressbar" in waiting(0) == waiting(None) and "ahead" not in waiting(0)
