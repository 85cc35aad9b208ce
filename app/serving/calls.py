"""Calls of programs, judged before they are queued: every mistake in one is a sentence with the right status.

Gradio answers most of them with ``500`` or ``{"error": null}``. What is judged is the form of a call: which
endpoint, which fields, of which type. Ranges are the engine's to judge, pictures the reader's.
"""

from __future__ import annotations

import difflib
import inspect
import json
import math
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import gradio as gr
from gradio_client.utils import is_http_url_like

from ladi.setting_row import listed, read_switch
from ladi.types import SettingError

CALL, CALL_V2, JOIN = "/gradio_api/call/", "/gradio_api/call/v2/", "/gradio_api/queue/join"
MOST_QUOTED = 40
"""Characters of a wrong value that are told back."""
FILE = 'a picture that was uploaded, {"path": …} with what /gradio_api/upload answered'
FILES = 'a list of pictures that were uploaded, each {"image": {"path": …}}'
ELSEWHERE = "Pictures must be uploaded: this server fetches nothing from other addresses."


class WrongCall(Exception):
    """A call that cannot be queued: the sentence, and the status that goes with it."""

    def __init__(self, sentence: str, status: int = HTTPStatus.UNPROCESSABLE_ENTITY) -> None:
        super().__init__(sentence)
        self.status = status


def judge_call(page: gr.Blocks, path: str, body: bytes, *, fetching: bool = False) -> None:
    """Refuse a call that could only fail.

    Args:
        page: whose endpoints are called.
        path: of the request, without any prefix of a proxy.
        body: as it was sent.
        fetching: pictures may be fetched from addresses, which Gradio does for all records that name one.

    Raises:
        WrongCall: in one sentence, what is wrong.
    """
    path = path.rstrip("/")
    if path == JOIN:
        told = _read(body)
        _judge_places(told, fetching)
        index = told.get("fn_index")
        function = page.fns.get(index) if isinstance(index, int) and not isinstance(index, bool) else None
        if function is None:
            raise WrongCall("fn_index names none of this page's events: load the page anew.", 404)
        _judge_data(f"Event {index}", told.get("data"), len(function.inputs))
        return
    if not path.startswith(CALL):
        return
    by_name = path.startswith(CALL_V2)
    name = path.removeprefix(CALL_V2 if by_name else CALL)
    if "/" in name:  # an event's answer is asked for
        return
    function = _find(page, name)
    told = _read(body)
    _judge_places(told, fetching)
    fields = _fields(function)
    values: Mapping[str, Any] = told
    if by_name:
        _judge_names(name, told, fields)
    else:
        data = told.get("data")
        _judge_data(f"/{name}", data, len(fields))
        values = dict(zip(fields, data or (), strict=True))
    for field, value in values.items():
        wrong = _wrong_type(fields[field][0], value)
        if wrong:
            raise WrongCall(f"{field} must be {wrong}, got {_quoted(value)}.")


Fields = Mapping[str, tuple[Any, bool]]
"""By name: the component, and whether a value is needed."""


def _find(page: gr.Blocks, name: str) -> Any:
    public = {
        function.api_name: function
        for function in page.fns.values()
        if function.api_name and function.api_visibility == "public"
    }
    if name not in public:
        names = [f"/{one}" for one in public]
        raise WrongCall(f"There is no endpoint {_quoted('/' + name)}: there is {listed(names)}.", 404)
    return public[name]


def _fields(function: Any) -> Fields:
    parameters = [
        parameter
        for parameter in inspect.signature(function.fn).parameters.values()
        if parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    ]
    names = [parameter.name for parameter in parameters]
    if len(names) != len(function.inputs):  # an event without named parameters
        return {f"value {place + 1}": (one, False) for place, one in enumerate(function.inputs)}
    needed = [parameter.default is inspect.Parameter.empty for parameter in parameters]
    return dict(zip(names, zip(function.inputs, needed, strict=True), strict=True))


def _read(body: bytes) -> dict[str, Any]:
    """The call as JSON."""
    try:
        told = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise WrongCall('The body must be a JSON object, such as {"data": [ … ]}.', HTTPStatus.BAD_REQUEST)
    return told


def _judge_places(told: Any, fetching: bool) -> None:
    """Refuse records of files that lie elsewhere, however deep they stand."""
    left = [] if fetching else [told]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            if is_http_url_like(value.get("path")):
                raise WrongCall(ELSEWHERE)
            left += value.values()
        elif isinstance(value, list):
            left += value


def _judge_data(what: str, data: Any, count: int) -> None:
    if not isinstance(data, list):
        raise WrongCall(f'{what} takes its values as a list, {{"data": [ … ]}}, got {_quoted(data)}.')
    if len(data) != count:
        values = "value" if count == 1 else "values"
        raise WrongCall(f"{what} takes {count} {values}, got {len(data)}: “Use via API” lists them.")


def _judge_names(name: str, told: Mapping[str, Any], fields: Fields) -> None:
    for field in told:
        if field not in fields:
            near = difflib.get_close_matches(field, fields, 1)
            meant = f"did you mean {near[0]!r}?" if near else "“Use via API” lists them."
            raise WrongCall(f"/{name} knows no field {_quoted(field)}: {meant}")
    for field, (component, needed) in fields.items():
        if needed and told.get(field) is None:
            raise WrongCall(f"/{name} needs the field {field!r}: {component.label}.")


def _wrong_type(component: Any, value: Any) -> str:
    """What the value must be, where it is not; ``None`` stands for the default, where there is one."""
    if isinstance(component, gr.Image | gr.File):
        return "" if value is None or _is_file(value) else FILE
    if isinstance(component, gr.Gallery):
        return "" if value is None or _are_files(value) else FILES
    if isinstance(component, gr.Checkbox):
        return "" if value is None or _is_switch(value) else "true or false"
    if isinstance(component, gr.Number | gr.Slider):
        return "" if value is None or _is_number(value) else "a number"
    text = value is None or isinstance(value, str) or (_is_number(value) and not isinstance(value, bool))
    return "" if text or not isinstance(component, gr.Textbox | gr.Dropdown | gr.Radio) else "text"


def _is_file(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("path"), str)


def _are_files(value: Any) -> bool:
    if not isinstance(value, list):
        return False
    return all(isinstance(one, dict) and _is_file(one.get("image")) for one in value)


def _is_switch(value: Any) -> bool:
    try:
        read_switch(value, "")
    except SettingError:
        return False
    return True


def _is_number(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(value, int):
        return True
    try:
        return math.isfinite(float(value)) if isinstance(value, str | float) else False
    except ValueError:
        return value == ""


def _quoted(value: Any) -> str:
    """A value as it can stand in a sentence: short, in one line, and as JSON writes it."""
    text = json.dumps(value)
    return text if len(text) <= MOST_QUOTED else f"{text[:MOST_QUOTED]}…"


def in_one_sentence(errors: Sequence[Mapping[str, Any]]) -> str:
    """What FastAPI found wrong with a request's form."""
    first = errors[0] if errors else {}
    place = ".".join(str(part) for part in first.get("loc", ()) if part != "body") or "the body"
    return f"This request has another form than the page's: {_quoted(place)}: {first.get('msg', 'wrong')}."
