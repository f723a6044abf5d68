"""The preprocess scripts, on their way into the ConfigMap that the stack's vLLM pods mount."""

import msgspec

from llmdbenchd.core.rights import SCRIPTS
from llmdbenchd.edge.kubernetes.errors import AlreadyExists, NotFound
from llmdbenchd.edge.kubernetes.session import Session

CONFIG_MAP = SCRIPTS
_MERGE = "application/merge-patch+json"


class _There(msgspec.Struct, frozen=True):
    data: dict[str, str] = {}


async def install(session: Session, namespace: str, scripts: dict[str, str]) -> str:
    """Make the ConfigMap, or put the scripts into the one that is there; its others stay.

    Needs `core.rights.PREPROCESS` in the stack's namespace: rights of whoever makes stacks, which
    the daemon's own Roles do not have.

    Returns:
        `made`, `updated` or `unchanged`.

    Raises:
        Refused: it may not be done.
        Unavailable: try again.
    """
    folder = f"/api/v1/namespaces/{namespace}/configmaps"
    made = {"metadata": {"name": CONFIG_MAP}, "data": scripts}
    for _ in range(2):
        try:
            said = await session.ask("GET", f"{folder}/{CONFIG_MAP}")
        except NotFound:
            try:
                await session.ask("POST", folder, body=made)
            except AlreadyExists:  # somebody else's, made between the two
                continue
            return "made"
        if scripts.items() <= msgspec.json.decode(said, type=_There).data.items():
            return "unchanged"
        break
    body = msgspec.json.encode({"data": scripts})
    await session.ask("PATCH", f"{folder}/{CONFIG_MAP}", body=body, content_type=_MERGE)
    return "updated"
