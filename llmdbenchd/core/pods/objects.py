"""The room of pods: Kubernetes objects as narrow structs, of which only what we read is decoded.

Decoding a pod this way takes 20 microseconds; with everything in it, a hundred times that.
Fields are named as the API names them, in snake case; what is not said has its empty value.
"""

from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class Object(msgspec.Struct, frozen=True, rename="camel"):
    """What all of them share: camel case outside, snake case here, never changed."""


class OwnerReference(Object, frozen=True, rename="camel"):
    """Who it goes with."""

    kind: str = ""
    name: str = ""
    uid: str = ""


class Metadata(Object, frozen=True, rename="camel"):
    """Of an object; times are RFC 3339, by the API server's clock.

    Attributes:
        deletion_timestamp: when the grace period of a deletion is over, which the last word of
            the kubelet moves; empty without one.
    """

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    owner_references: tuple[OwnerReference, ...] = ()
    creation_timestamp: str = ""
    deletion_timestamp: str = ""


class ClaimSource(Object, frozen=True, rename="camel"):
    """A volume that is a claim."""

    claim_name: str = ""


class Volume(Object, frozen=True, rename="camel"):
    """A pod's volume; what it is made of, if it is a claim."""

    name: str = ""
    persistent_volume_claim: ClaimSource | None = None


class EnvironmentVariable(Object, frozen=True, rename="camel"):
    """A variable with its value, if it is written out."""

    name: str = ""
    value: str = ""


class Container(Object, frozen=True, rename="camel"):
    """A container as it was asked for.

    Attributes:
        restart_policy: `Always` makes an init container a sidecar, which runs until the
            others have ended; empty in every other container.
    """

    name: str = ""
    image: str = ""
    restart_policy: str = ""
    env: tuple[EnvironmentVariable, ...] = ()


class PodSpec(Object, frozen=True, rename="camel"):
    """What was asked for."""

    node_name: str = ""
    containers: tuple[Container, ...] = ()
    init_containers: tuple[Container, ...] = ()
    volumes: tuple[Volume, ...] = ()

    @property
    def sidecars(self) -> frozenset[str]:
        """Names of the init containers that run beside the others, as a mesh's proxy does."""
        return frozenset(one.name for one in self.init_containers if one.restart_policy == "Always")


class Condition(Object, frozen=True, rename="camel"):
    """One of a pod's conditions, such as `PodScheduled`; the time is when it last changed."""

    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""
    last_transition_time: str | None = None


class Waiting(Object, frozen=True, rename="camel"):
    """Why a container does not run yet."""

    reason: str = ""
    message: str = ""


class Started(Object, frozen=True, rename="camel"):
    """Since when a container runs."""

    started_at: str | None = None


class Terminated(Object, frozen=True, rename="camel"):
    """How a container ended; `message` holds its last lines, where it failed."""

    exit_code: int = 0
    signal: int = 0
    reason: str = ""
    message: str = ""
    started_at: str | None = None
    finished_at: str | None = None


class State(Object, frozen=True, rename="camel"):
    """One of the three; none of them is what an untouched container has."""

    waiting: Waiting | None = None
    running: Started | None = None
    terminated: Terminated | None = None


class ContainerStatus(Object, frozen=True, rename="camel"):
    """How a container is.

    Attributes:
        started: it runs, and its start-up probe, if it has one, has passed.
        container_id: the runtime's; empty until there was a container.
    """

    name: str = ""
    state: State = State()
    last_state: State = State()
    ready: bool = False
    started: bool | None = None
    restart_count: int = 0
    container_id: str = msgspec.field(default="", name="containerID")


class PodStatus(Object, frozen=True, rename="camel"):
    """How a pod is."""

    phase: str = ""
    reason: str = ""
    message: str = ""
    conditions: tuple[Condition, ...] = ()
    container_statuses: tuple[ContainerStatus, ...] = ()
    init_container_statuses: tuple[ContainerStatus, ...] = ()
    pod_ip: str = msgspec.field(default="", name="podIP")


class Pod(Object, frozen=True, rename="camel"):
    """A pod."""

    metadata: Metadata = Metadata()
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()


class ListMetadata(Object, frozen=True, rename="camel"):
    """Of a list; `continue_` asks for its next page, empty on the last one."""

    resource_version: str = ""
    continue_: str = msgspec.field(default="", name="continue")


class Page(Object, Generic[T], frozen=True, rename="camel"):
    """One page of a list."""

    metadata: ListMetadata = ListMetadata()
    items: tuple[T, ...] = ()


PodList = Page[Pod]


class Status(Object, frozen=True, rename="camel"):
    """What the API server says of a request, or of a watch that it ends."""

    code: int = 0
    reason: str = ""
    message: str = ""


class WatchEvent(msgspec.Struct, frozen=True):
    """A line of a watch; the object is read once its type is known."""

    type: str
    object: msgspec.Raw


class Reference(Object, frozen=True, rename="camel"):
    """What an event is about; `field_path` names a container, as `spec.containers{name}`."""

    kind: str = ""
    name: str = ""
    uid: str = ""
    field_path: str = ""


class Series(Object, frozen=True, rename="camel"):
    """How often an event has happened, as newer components tell it."""

    count: int | None = None
    last_observed_time: str | None = None


class Event(Object, frozen=True, rename="camel"):
    """An event of the API server's.

    Attributes:
        type: `Normal` or `Warning`.
        last_timestamp: as older components tell it; newer ones fill `event_time` and `series`.
    """

    type: str = ""
    reason: str = ""
    message: str = ""
    count: int | None = None
    involved_object: Reference = Reference()
    first_timestamp: str | None = None
    last_timestamp: str | None = None
    event_time: str | None = None
    series: Series | None = None

    @property
    def last_seen(self) -> str:
        """When it last happened (RFC 3339); empty if nobody says."""
        newest = self.series.last_observed_time if self.series is not None else None
        return newest or self.last_timestamp or self.event_time or ""


EventList = Page[Event]
