"""What goes wrong, as visitors and programs are told: one sentence; the traceback goes to the log alone.

Expected errors speak for themselves; of unexpected ones the visitor learns that they happened.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import gradio as gr

from app import words
from ladi.types import Cancelled, LadiError

LOGGER = logging.getLogger(__name__)

MESSAGE_SECONDS = 20


@contextmanager
def errors_as_status(ended: dict[str, Any], what: str) -> Iterator[None]:
    """What goes wrong inside becomes the status under the button, for work that has one.

    Args:
        ended: what is shown at the end; gets a ``status``.
        what: the work's name in the log.
    """
    try:
        yield
    except Cancelled:
        ended["status"] = words.hint(words.STOPPED)
    except LadiError as error:
        LOGGER.info("refused: %s", type(error).__name__)
        ended["status"] = words.refusal(error)
    except Exception:
        LOGGER.exception("%s failed", what)
        ended["status"] = words.problem(words.UNEXPECTED, "Sorry")


@contextmanager
def errors_as_messages() -> Iterator[None]:
    """What goes wrong inside becomes a message over the page, or the error that a program gets."""
    try:
        yield
    except LadiError as error:
        LOGGER.info("refused: %s", type(error).__name__)
        raise gr.Error(
            words.plain(str(error)), title="Not yet", duration=MESSAGE_SECONDS, print_exception=False
        ) from error
    except Exception as error:
        LOGGER.exception("a request failed")
        raise gr.Error(
            words.UNEXPECTED, title="Sorry", duration=MESSAGE_SECONDS, print_exception=False
        ) from error


def guard_answers(page: gr.Blocks) -> None:
    """Have whatever goes wrong in an event, also in Gradio's own part of it, reach the caller as a sentence.

    Gradio answers ``{"error": null}``, and prints tracebacks past the log, with names of uploads in them.
    """
    process = page.process_api

    @wraps(process)
    async def guarded_process(*args: Any, **kwargs: Any) -> Any:
        try:
            return await process(*args, **kwargs)
        except gr.Error as error:
            error.print_exception = False
            raise
        except Exception as error:
            LOGGER.exception("an event failed")
            raise gr.Error(
                words.UNEXPECTED, title="Sorry", duration=MESSAGE_SECONDS, print_exception=False
            ) from error

    page.process_api = guarded_process  # type: ignore[method-assign]
