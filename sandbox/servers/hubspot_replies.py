"""Reading HubSpot requests and shaping HubSpot answers."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from sandbox.servers.hubspot_search import BadRequestError


async def read_body(request: Request) -> dict[str, Any]:
    """The JSON object of a request; anything else is a bad request."""
    try:
        body = json.loads(await request.body())
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise BadRequestError("Invalid input JSON: the body must be an object")
    return body


def read_inputs(body: dict[str, Any], cap: int) -> list[str]:
    """Ids of a batch request, at most `cap`."""
    inputs = body.get("inputs")
    if not isinstance(inputs, list) or not inputs or not all(isinstance(item, dict) and "id" in item for item in inputs):
        raise BadRequestError('inputs must be a list of {"id": ...}')
    if len(inputs) > cap:
        raise BadRequestError(f"inputs: {len(inputs)} given, at most {cap} are allowed")
    return [str(item["id"]) for item in inputs]


def read_limit(request: Request, default: int, cap: int) -> int:
    """The `limit` parameter, between 1 and `cap`."""
    limit = read_number(request.query_params.get("limit", str(default)), "limit")
    if not 1 <= limit <= cap:
        raise BadRequestError(f"limit {limit} is out of range: it must be between 1 and {cap}")
    return limit


def read_number(text: str, name: str) -> int:
    """A parameter that must be a whole number."""
    if not text.isdigit():
        raise BadRequestError(f"{name} must be a number, got {text!r}")
    return int(text)


def split_names(names: str | None) -> list[str]:
    """Names of a comma-separated parameter."""
    return [name for name in (names or "").split(",") if name]


def build_complete(results: list[dict[str, Any]]) -> dict[str, Any]:
    """The envelope of a batch answer."""
    stamp = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"status": "COMPLETE", "results": results, "startedAt": stamp, "completedAt": stamp}


def list_errors(missing: Iterable[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    """What a 207 answer says about ids that it does not hold: (message, context) each."""
    errors = [
        {"status": "error", "category": "OBJECT_NOT_FOUND", "message": message, "context": context}
        for message, context in missing
    ]
    return {"numErrors": len(errors), "errors": errors}


def refuse(status: int, message: str, headers: Mapping[str, str] | None = None, **extra: str) -> Response:
    """HubSpot's error object."""
    body = {"status": "error", "message": message, "correlationId": str(uuid.uuid4()), **extra}
    return JSONResponse(body, status_code=status, headers=headers)


def break_answer(fault: str) -> Response:
    """An injected fault: a proxy's HTML page ("502") or an internal error."""
    if fault == "502":
        return HTMLResponse(
            "<html><head><title>502 Bad Gateway</title></head><body>502 Bad Gateway</body></html>", status_code=502
        )
    return refuse(500, "internal error")
