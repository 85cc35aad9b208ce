"""Serving the page: limits, users, health, GPU time on ZeroGPU, MCP.

It wires Gradio's server; what the page shows and does is not known here. Who may wait is ``visitors.py``'s,
and what becomes of pictures and log ``privacy.py``'s.
"""

from __future__ import annotations

import argparse
import importlib.util
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, TypeVar

import gradio as gr
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

import ladi
from app.errors import guard_answers
from app.serving.gate import EXCEPTION_HANDLERS, Gate
from app.serving.privacy import PictureFolder, take_over_uvicorn
from app.serving.sharing import ICON, LinkPreview, picture_route
from app.serving.visitors import count_events, forget_callers, forget_leavers, guard_queue
from app.values import read_value, settings_by_name
from ladi.types import SettingError

Function = TypeVar("Function", bound=Callable[..., Any])

UPLOAD_LIMIT = "100mb"
"""Of one file; 50 megapixels, the most that is read, are far smaller in any usual format."""
HEALTH = "/health"
EVENTS_KEPT, SESSIONS_KEPT = 100, 500
"""How much Gradio remembers; a session takes 0.4 MB, and goes some minutes after its page is closed."""

GPU_START, GPU_PER_STEP, GPU_LONGEST = 15, 0.5, 120
"""Seconds of a ZeroGPU that are asked for: for a request, for each step of each picture, and at most. They
are guesses on the safe side: nothing has been measured there."""


@dataclass
class Readiness:
    """How far the model that the page opens on has come; the thread that loads it changes the state."""

    model: str
    state: Literal["loading", "ready", "failed"] = "loading"


def launch_page(
    page: gr.Blocks,
    options: argparse.Namespace,
    readiness: Readiness,
    pictures: PictureFolder,
    **looks: Any,
) -> tuple[Any, str, str | None]:
    """Serve a page in the background.

    Args:
        page: laid out and wired; whatever queue it has is replaced.
        options: from ``app.serving.options.parse``.
        readiness: what the health endpoint tells of the model.
        pictures: the folder that was made before the page was.
        **looks: theme, css, js, head and the like, for Gradio's ``launch()``.

    Returns:
        The FastAPI app, the address on this machine, and the public one, if any.

    Raises:
        SettingError: MCP is wanted, and its package is missing.
        OSError: nothing can be served at this address.
    """
    if options.mcp:
        check_mcp()
        from app.serving.mcp import mend  # which needs the package

        mend(pictures.path)
    # Gradio keeps what each event took, and reads all of it at each one's end.
    os.environ.setdefault("GRADIO_ANALYTICS_MAX_EVENTS", str(EVENTS_KEPT))
    # Closed: /run and /api, which pass the queue. What the page does not queue goes on working.
    page.queue(default_concurrency_limit=1, max_size=None, api_open=False)
    guard_answers(page)
    guard_queue(page, most_waiting=options.queue_size, per_visitor=options.visitor_limit)
    forget_callers(page)
    page.delete_cache = None  # the folder sees to it
    pictures.start(lambda: own_files(page), partial(forget_leavers, page))
    served = page.launch(
        server_name=options.host,
        server_port=options.port,
        root_path=options.root_path,
        share=options.share,
        auth=options.auth,
        auth_message="This page is for invited people. Please log in.",
        mcp_server=options.mcp,
        max_file_size=UPLOAD_LIMIT,
        favicon_path=ICON,
        app_kwargs={
            "routes": [health_route(page, readiness), picture_route()],
            "middleware": [
                # Language models' tools take pictures by their address.
                Middleware(Gate, page=page, root_path=options.root_path or "", fetching=options.mcp),
                Middleware(LinkPreview, title=str(page.title), root_path=options.root_path),
            ],
            "exception_handlers": EXCEPTION_HANDLERS,
            # FastAPI's own descriptions need no login; Gradio's does, and is the one that says something.
            **dict.fromkeys(("openapi_url", "docs_url", "redoc_url")),
        },
        footer_links=["api"],
        run_history=False,  # it would keep people's photos in the browser
        enable_monitoring=False,  # it would tell who called what, and when
        ssr_mode=False,
        state_session_capacity=SESSIONS_KEPT,
        prevent_thread_lock=True,
        **looks,
    )
    take_over_uvicorn()
    return served


def own_files(page: gr.Blocks) -> set[str]:
    """The files in the cache folder that the page itself shows, such as examples."""
    return {str(name) for block in page.blocks.values() for name in getattr(block, "keep_in_cache", ())}


def health_route(page: gr.Blocks, readiness: Readiness) -> Route:
    """``/health``, for load balancers and containers; it needs no login, and tells nothing of visitors.

    200 where a request would be computed, 503 while the model is loading or if it cannot be loaded; a JSON
    object with ``status`` (``ready``, ``loading``, ``failed``), ``model``, ``version``, ``waiting`` and
    ``running`` requests.
    """

    async def health(request: Request) -> JSONResponse:
        waiting, running = count_events(page)
        told = {
            "status": readiness.state,
            "model": readiness.model,
            "version": ladi.__version__,
            "waiting": waiting.total(),
            "running": running.total(),
        }
        return JSONResponse(told, 200 if readiness.state == "ready" else 503, {"Cache-Control": "no-store"})

    return Route(HEALTH, health, methods=["GET", "HEAD"])


def check_mcp() -> None:
    """Raises SettingError unless the package is there that Gradio needs for MCP."""
    if importlib.util.find_spec("mcp") is None:
        raise SettingError(
            f"--mcp needs one more package: get it by `pip install 'gradio[mcp]=={gr.__version__}'`, "
            "or leave --mcp out."
        )


def on_zero_gpu() -> bool:
    """Whether this is a Space whose GPU is lent to one function call at a time."""
    return os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")


def prepare_zero_gpu() -> None:
    """Import ``spaces`` there: it must come before anything that touches CUDA."""
    if on_zero_gpu():
        importlib.import_module("spaces")


def gpu(function: Function, seconds: int | Callable[..., int]) -> Function:
    """A function that computes on a GPU, as ZeroGPU wants it; the same function where there is no ``spaces``.

    Args:
        function: one that the page's events call. On ZeroGPU it runs in another process: arguments and
            results travel there and back, and what it remembers elsewhere is lost.
        seconds: the time to ask for, or how to tell it from the function's own arguments (``gpu_seconds``).
    """
    if importlib.util.find_spec("spaces") is None:
        return function
    spaces = importlib.import_module("spaces")
    return spaces.GPU(duration=seconds)(function)


def gpu_seconds(steps: int, pictures: int = 1) -> int:
    """The GPU time to ask for: longer for more steps and pictures, never more than is allowed."""
    return min(GPU_LONGEST, math.ceil(GPU_START + GPU_PER_STEP * max(steps, 1) * max(pictures, 1)))


def seconds_for(values: Sequence[Any], *, pictures: int = 0) -> int:
    """The GPU time for the page's settings; wrong ones, which will be refused, ask for the least.

    Args:
        values: in the order of ``app.values.setting_names``.
        pictures: how many there will be, where the settings do not say.
    """
    settings = settings_by_name(tuple(values))
    try:
        steps = read_value(settings, "steps") or 1
        return gpu_seconds(steps, pictures or read_value(settings, "pictures"))
    except SettingError:
        return gpu_seconds(1)


def default_model(device: str | None, *, gpus: float | None = None) -> str:
    """The model for a page that was not told which: full-size where it can be used, else the embedded one.

    Args:
        device: the one that is asked for, if any.
        gpus: of the cluster, where it computes instead of this machine.

    Raises:
        SettingError: there is no such device.
    """
    from ladi.runtime.devices import choose_device
    from ladi.weights.catalog import EMBEDDED, installed_models

    if device == "cpu" or (choose_device(device).type == "cpu" if gpus is None else not gpus):
        return EMBEDDED
    return next((name for name in installed_models() if name != EMBEDDED), EMBEDDED)
