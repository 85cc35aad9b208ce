"""Prepared people and garments, shared by the engines of a cluster: each is prepared once, by one of them.

The pantry knows where each preparation lies in Ray's store, and who is making one just now. It holds no
picture itself, and drops what was not asked for longest when there are too many bytes. What is lost with a
machine is made again by whoever needs it next.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

from ladi.runtime.recall import bytes_of

MOST_BYTES = 400_000_000
"""Of all preparations in the store together."""
PATIENCE = 30.0
"""Seconds for which one engine waits for what another is making, which may have died over it; making it twice
does no harm."""


@dataclass
class _Entry:
    """One preparation."""

    made: asyncio.Event = field(default_factory=asyncio.Event)
    reference: list[Any] = field(default_factory=list)
    """In a list, by which Ray passes on a reference instead of what it refers to."""
    weight: int = 0


class Pantry:
    """Which preparations there are; an actor of its own."""

    def __init__(self, most: int = MOST_BYTES, patience: float = PATIENCE) -> None:
        """Start empty."""
        self._most, self._patience = most, patience
        self._entries: OrderedDict[bytes, _Entry] = OrderedDict()
        self._made = self._shared = 0

    async def ask(self, key: bytes) -> list[Any]:
        """The reference of a preparation, in a list; an empty one for whoever is to make it."""
        while True:
            entry = self._entries.get(key)
            if entry is None:
                self._entries[key] = _Entry()
                return []
            if entry.reference:
                self._entries.move_to_end(key)
                self._shared += 1
                return entry.reference
            try:
                await asyncio.wait_for(entry.made.wait(), self._patience)
            except TimeoutError:
                self.forget(key)

    def keep(self, key: bytes, reference: list[Any], weight: int) -> None:
        """What was to be made is in the store."""
        entry = self._entries.setdefault(key, _Entry())
        entry.reference, entry.weight = reference, weight
        entry.made.set()
        self._made += 1
        total = sum(one.weight for one in self._entries.values())
        for oldest, one in list(self._entries.items()):
            if total <= self._most or oldest == key:
                break
            if one.reference:
                total -= one.weight
                del self._entries[oldest]

    def forget(self, key: bytes) -> None:
        """It could not be made, or is lost: the next one to ask makes it."""
        entry = self._entries.pop(key, None)
        if entry is not None:
            entry.made.set()

    def counts(self) -> tuple[int, int]:
        """How many were made, and how often one was handed on instead."""
        return self._made, self._shared


class Shared:
    """What one engine knows of the pantry: an ``Elsewhere`` for its own memory."""

    def __init__(self, pantry: Any) -> None:
        """Remember the actor."""
        self._pantry = pantry

    def __call__(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """The preparation, from the store or made now."""
        ray = importlib.import_module("ray")
        name = hashlib.blake2b(repr(key).encode(), digest_size=20).digest()
        try:
            for reference in ray.get(self._pantry.ask.remote(name)):
                return ray.get(reference, timeout=PATIENCE)
        except ray.exceptions.RayError:  # whoever made it is gone, or the pantry is
            self._pantry.forget.remote(name)
            return make()
        try:
            value = make()
        except BaseException:
            self._pantry.forget.remote(name)
            raise
        try:
            # Told before anything is done with it: who dies over that leaves nobody waiting.
            ray.get(self._pantry.keep.remote(name, [ray.put(value)], bytes_of(value)), timeout=PATIENCE)
        except ray.exceptions.RayError:  # no room in the store
            self._pantry.forget.remote(name)
        return value
