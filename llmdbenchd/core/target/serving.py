"""The room of targets: who serves, what it serves, and whether that is what the run asks for."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

import msgspec

from llmdbenchd.core.pods.objects import Object
from llmdbenchd.core.run.record import Target
from llmdbenchd.core.target.addresses import address_of
from llmdbenchd.core.target.asked import AUTO, Asked, Chosen, NotYet, Refusal, Server, listed
from llmdbenchd.core.target.objects import EndpointSlice, SliceEndpoint

SERVICE_LABEL = "kubernetes.io/service-name"
MODELS = "/v1/models"
NAME_IT = (
    f"which model is served is asked without the key, for only launchers have it: write models: "
    f"[NAME], or have {MODELS} open to everybody"
)
_LATER = frozenset({429, 500, 502, 503, 504})
_NOT_FOR_US = frozenset({401, 403})


class Model(Object, frozen=True):
    """A model that is served; a LoRA adapter has a parent."""

    id: str
    root: str | None = None
    parent: str | None = None


class Models(Object, frozen=True):
    """What a server answers at `MODELS`."""

    data: tuple[Model, ...]


class Why(Enum):
    """Why no models are known."""

    LATER = "later"  # it says itself that it is not ready
    STRANGE = "strange"  # it answers, and not as a model server does
    UNASKED = "unasked"  # we cannot ask it; launchers perhaps can
    LOCKED = "locked"  # it does not answer us; launchers perhaps have its key


@dataclass(frozen=True, slots=True)
class Silence:
    """No models, and why."""

    kind: Why
    reason: str


Heard = Sequence[Model] | Silence


def said(status: int, reason: str) -> Silence:
    """What an answer means that is not 200.

    Args:
        status: of HTTP.
        reason: the answer for people.
    """
    if status in _LATER:
        return Silence(Why.LATER, reason)
    return Silence(Why.LOCKED if status in _NOT_FOR_US else Why.STRANGE, reason)


def read_models(answer: bytes) -> Heard:
    """The models that a server names in an answer of 200."""
    try:
        return msgspec.json.decode(answer, type=Models).data
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Silence(Why.STRANGE, f"what it answers at {MODELS} is no list of models")


def found_target(
    asked: Asked, chosen: Chosen, servers: Sequence[Server], heard: Heard
) -> Target | Refusal | NotYet:
    """The target, if it serves what the run asks for.

    A URL that was given is run against all the same, with a note: it needs no look-up.
    """
    is_given = bool(asked.endpoint)
    if isinstance(heard, Silence):
        is_locked = heard.kind is Why.LOCKED
        if is_locked and asked.keyed and asked.model == AUTO and not asked.loading:
            return Refusal(f"{chosen.what}: {heard.reason}: {NAME_IT}")
        may_go_on = is_locked or heard.kind is Why.UNASKED
        may_go_on = may_go_on or (is_given and heard.kind is Why.STRANGE)
        if not asked.loading and (asked.model == AUTO or not may_go_on):
            return NotYet(f"{chosen.what}: {heard.reason}")
        note = f"the model was not checked: {heard.reason}"
        return _target(asked, chosen, servers, model=asked.model, note=note)
    model = _model_for(asked, heard, chosen.what)
    if asked.loading and isinstance(model, NotYet):
        return _target(asked, chosen, servers, model=asked.model, note=model.reason)
    if isinstance(model, Refusal) and is_given:
        return _target(asked, chosen, servers, model=asked.model, note=model.reason)
    if isinstance(model, str):
        return _target(asked, chosen, servers, model=model)
    return model


def _model_for(asked: Asked, served: Sequence[Model], what: str) -> str | Refusal | NotYet:
    """The model that the run loads, by a name that the server knows."""
    names = [one.id for one in served]
    if not names:
        return NotYet(f"{what} serves no model yet")
    if asked.model == AUTO:
        return next((one.id for one in served if not one.parent), names[0])
    if asked.model in names:
        return asked.model
    alias = next((one.id for one in served if one.root == asked.model), names[0])
    hint = f"write models: [{alias}], or [{AUTO}] for what is served"
    return Refusal(f"{what} serves {listed(names)}, and not {asked.model}: {hint}")


def servers_of(
    slices: Iterable[EndpointSlice], services: Collection[str], namespace: str
) -> tuple[Server, ...]:
    """The pods behind Services, ready or not: all of them may bear the load."""
    found = {
        server.pod: server
        for one in slices
        if one.metadata.labels.get(SERVICE_LABEL) in services
        for endpoint in one.endpoints or ()
        for server in _server(endpoint, namespace)
    }
    return tuple(found[name] for name in sorted(found))


def server_at(slices: Iterable[EndpointSlice], address: str, namespace: str) -> tuple[Server, ...]:
    """The pod that has this address, if a Service leads to it."""
    found = [
        server
        for one in slices
        for endpoint in one.endpoints or ()
        if address in endpoint.addresses
        for server in _server(endpoint, namespace)
    ]
    return tuple(found[:1])


def _target(
    asked: Asked, chosen: Chosen, servers: Sequence[Server], *, model: str, note: str = ""
) -> Target:
    """The target as it is put on the record, with the names that its lease goes by.

    The URL is one of them: the pods behind it may have changed when the next run comes.
    """
    names = (address_of(chosen.endpoint), *(str(one) for one in servers))
    return Target(
        chosen.endpoint,
        () if asked.shared else names,
        found="" if chosen.what == chosen.endpoint else chosen.what,
        model=model if asked.model == AUTO else "",
        nodes=tuple(sorted({one.node for one in servers if one.node})),
        note=note,
    )


def _server(endpoint: SliceEndpoint, namespace: str) -> Iterable[Server]:
    to = endpoint.target_ref
    if to is not None and to.kind == "Pod":
        yield Server(namespace, to.name, endpoint.node_name or "")
