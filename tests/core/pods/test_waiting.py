"""What a container waits for in vain, and what may pass."""

import msgspec
import pytest

from llmdbenchd.core.pods.objects import Pod
from llmdbenchd.core.pods.sight import sight_of
from llmdbenchd.core.run.sight import Pending
from tests.core.pods.recorded import waiting


def pending(pod: Pod) -> Pending:
    sight = sight_of(pod)
    assert isinstance(sight, Pending)
    return sight


@pytest.mark.parametrize(
    ("message", "hopeless"),
    [
        ("manifest for x:1 not found: manifest unknown: manifest unknown", True),
        ("name unknown: The repository with name 'x' does not exist in the registry", True),
        ("pull access denied, repository does not exist or may require authorization", True),
        ("unauthorized: access to the requested resource is not authorized", True),
        ("denied: requested access to the resource is denied", True),
        ("no match for platform in manifest: not found", True),
        ("couldn't parse image reference: invalid reference format", True),
        ("dial tcp: lookup registry.example on 10.0.0.10:53: no such host", False),
        ("dial tcp 10.0.0.9:443: connect: permission denied", False),
        ("failed to do request: Head: Forbidden", False),
        ("toomanyrequests: You have reached your pull rate limit: denied", False),
        ("unexpected status 503 Service Unavailable: backend not found", False),
        ("tls: failed to verify certificate: x509: unknown authority", False),
        ("", False),
    ],
)
def test_only_an_image_that_a_registry_refuses_is_hopeless(message: str, hopeless: bool) -> None:  # noqa: FBT001 - a row of the table
    assert pending(waiting("ErrImagePull", message)).hopeless is hopeless


@pytest.mark.parametrize(
    "image",
    ["r.example:5000/team/denied:1", "forbidden", "r.example/unauthorized@sha256:0123"],
)
def test_an_image_may_have_a_name_that_sounds_like_a_refusal(image: str) -> None:
    asked = waiting("ErrImagePull", f"pinging registry for {image}: server hung up")
    (harness,) = asked.spec.containers
    spec = msgspec.structs.replace(
        asked.spec, containers=(msgspec.structs.replace(harness, image=image),)
    )

    assert not pending(msgspec.structs.replace(asked, spec=spec)).hopeless


@pytest.mark.parametrize(
    ("reason", "message", "hopeless"),
    [
        ("CreateContainerConfigError", "failed to sync secret cache: timed out", False),
        ("CreateContainerConfigError", 'secret "hf" not found', True),
        ("CreateContainerError", "context deadline exceeded", False),
        ("CreateContainerError", 'name "h_p_0" is reserved for "12ab"', False),
        ("CreateContainerError", "no command specified", True),
        ("RunContainerError", "exec: no such file", True),
        ("ImageInspectError", "connection error: transport is closing", False),
        ("ImageInspectError", "invalid character in manifest", True),
        ("SignatureValidationFailed", "", True),
        ("CrashLoopBackOff", "back-off 10s", False),
    ],
)
def test_what_a_busy_node_says_may_pass(reason: str, message: str, hopeless: bool) -> None:  # noqa: FBT001 - a row of the table
    assert pending(waiting(reason, message)).hopeless is hopeless


def test_a_registry_that_is_away_is_waited_for() -> None:
    assert pending(waiting("RegistryUnavailable", "503")) == Pending(
        "RegistryUnavailable: 503", "pull"
    )


def test_an_address_that_sounds_like_a_refusal_is_none() -> None:
    asked = 'failed to resolve: Head "https://r.example/v2/forbidden/x/manifests/1": server hung up'

    assert not pending(waiting("ErrImagePull", asked)).hopeless
