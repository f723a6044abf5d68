"""What an API server knows of any object: kinds, selectors, changes and refusals."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from aiohttp import web

Object = dict[str, Any]
KINDS = {
    "pods": "Pod",
    "configmaps": "ConfigMap",
    "persistentvolumeclaims": "PersistentVolumeClaim",
    "events": "Event",
}
OVER = {"Succeeded", "Failed"}


@dataclass
class Refusal(Exception):
    """What the API answers in place of what was asked."""

    code: int
    reason: str
    message: str


@dataclass(frozen=True)
class Event:
    """A change as watches tell it."""

    version: int
    plural: str
    labels: dict[str, str]
    line: bytes


def selected(thing: Object, request: web.Request) -> bool:
    fields = dict(_pairs(request.query.get("fieldSelector", "")))
    for path, wanted in fields.items():
        value: Any = thing
        for part in path.split("."):
            value = value.get(part, "")
        if value != wanted:
            return False
    return matches(thing["metadata"].get("labels", {}), request.query.get("labelSelector", ""))


def matches(labels: dict[str, str], selector: str) -> bool:
    return all(labels.get(name) == value for name, value in _pairs(selector))


def _pairs(selector: str) -> Iterator[tuple[str, str]]:
    for part in filter(None, selector.split(",")):
        name, _, value = part.partition("=")
        yield name, value.removeprefix("=")


def status(refusal: Refusal) -> web.Response:
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": refusal.code}
    body |= {"reason": refusal.reason, "message": refusal.message}
    return web.json_response(body, status=refusal.code)
