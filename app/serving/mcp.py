"""Gradio's server of tools for language models, mended where it does not do what it says.

As of Gradio 6.31: what a tool returns to a client that asks for no progress is one list with the server's
paths; a list of pictures has a schema whose references lead nowhere, so that its tool cannot be called;
numbers are refused where an empty field must be possible; pictures in data URIs are kept in a folder that is
chosen when Gradio is imported; what cannot be read is quoted, photo and all; and a tool has failed, "timed
out", where the busy machine takes five seconds to take a picture in. Each is put right here, in the class
itself, because Gradio offers no other place.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import gradio.mcp
from gradio.mcp import GradioMCPServer
from gradio_client import Client, handle_file

MOST_FILES = 16
"""Of a parameter that takes a list of pictures."""
PATIENCE = 120
"""Seconds that the page may take to answer its own server of tools, which asks it as a client does."""
FILE = "an http(s) address of a file, or a data URI"
_LOOSE = {
    "string": ["string", "number", "null"],
    "number": ["number", "string", "null"],
    "boolean": ["boolean", "string", "number", "null"],
}
"""What language models send for each type; what it means, and whether it is allowed, we say ourselves."""

_schema = GradioMCPServer.get_input_schema
_convert = GradioMCPServer.convert_strings_to_filedata
_postprocess = GradioMCPServer.postprocess_output_data


def mend(folder: Path) -> None:
    """Put all of it right, for the servers that are made from now on; may be done again.

    Args:
        folder: where visitors' files lie, and are swept.
    """
    gradio.mcp.DEFAULT_TEMP_DIR = str(folder)
    patient: Any = partial(Client, httpx_kwargs={"timeout": PATIENCE})
    gradio.mcp.Client = patient
    server: Any = GradioMCPServer
    server.get_input_schema = get_input_schema
    server.convert_strings_to_filedata = convert_strings_to_filedata
    server.postprocess_output_data = postprocess_output_data
    server._execute_tool_without_progress = execute_without_progress


def get_input_schema(
    self: GradioMCPServer, tool_name: str, parameters: dict[str, str] | None = None
) -> tuple[dict[str, Any], list[list[str | int]]]:
    """A tool's parameters and the places of files in them, without references and with loose types."""
    schema, places = _schema(self, tool_name, parameters)
    properties = {}
    for name, told in schema["properties"].items():
        files = [place for place in places if place[0] == name]
        words = {key: told[key] for key in ("description", "default") if key in told}
        if "$ref" in json.dumps(told):
            one = {"type": "string", "description": FILE}
            properties[name] = {"type": "array", "items": one, "maxItems": MOST_FILES} | words
            places = [place for place in places if place[0] != name]
            places += [[name, index] for index in range(MOST_FILES)]
        elif files:
            properties[name] = {"type": ["string", "null"], "format": FILE} | words
        else:
            loose = _LOOSE.get(told.get("type", ""))
            properties[name] = told if loose is None else told | {"type": loose}
    return schema | {"properties": properties}, places


def convert_strings_to_filedata(self: GradioMCPServer, value: Any, places: list[list[str | int]]) -> Any:
    """Files in a tool's arguments; what is none is refused without quoting it."""
    given = dict(value)
    for name in {str(place[0]) for place in places} & given.keys():
        several = isinstance(given[name], list)
        ready = [_own_file(one, name) for one in (given[name] if several else [given[name]])]
        given[name] = ready if several else ready[0]
    files = _convert(self, given, places)
    # A gallery's pictures may have captions.
    return {
        name: [{"image": file, "caption": None} for file in one] if _is_list_of_files(one) else one
        for name, one in files.items()
    }


def _own_file(given: Any, name: str) -> Any:
    """A file that was uploaded to this very server, whose address it could not fetch; else what was given.

    Raises:
        ValueError: it is no file's address.
    """
    if not isinstance(given, str):
        return given
    if not given.startswith(("data:", "http://", "https://")):
        raise ValueError(f"{name} must be {FILE}.")
    path = Path(unquote(given.partition("/gradio_api/file=")[2]))
    folder = Path(gradio.mcp.DEFAULT_TEMP_DIR).resolve()
    if path.is_absolute() and path.resolve().is_relative_to(folder) and path.is_file():
        return handle_file(path)
    return given


def _is_list_of_files(given: Any) -> bool:
    return isinstance(given, list) and all(isinstance(one, Mapping) and "path" in one for one in given)


def postprocess_output_data(self: GradioMCPServer, data: Any, root_url: str) -> Any:
    """What a tool answers; each picture of a gallery by itself, below its caption."""
    flat: list[Any] = []
    for output in data:
        if isinstance(output, list) and all(isinstance(one, Mapping) and "image" in one for one in output):
            flat += [part for one in output for part in (one.get("caption"), one["image"]) if part]
        else:
            flat.append(output)
    return _postprocess(self, flat, root_url)


async def execute_without_progress(self: GradioMCPServer, job: Any) -> list[Any]:
    """The outputs of a tool for a client that wants no news on the way.

    Raises:
        RuntimeError: the tool refuses, in a sentence.
    """
    async for update in job:
        if update.type == "output" and update.final:
            told = update.outputs
            if not update.success:
                raise RuntimeError(told.get("error") or told.get("title") or "The tool failed.")
            return list(told["data"])
    if job.exception():
        raise job.exception()
    raise RuntimeError("The tool gave no answer.")
