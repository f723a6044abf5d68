"""A program that watches pods with the typed client of kubernetes-asyncio, as most people would.

    python typed.py KUBECONFIG NAMESPACE SELECTOR SEEN

It keeps each pod as the library gives it, and adds a byte to the file SEEN for each event.
"""

import asyncio
import sys
from pathlib import Path

from kubernetes_asyncio import client, config, watch


async def main(kubeconfig: str, namespace: str, selector: str, seen: str) -> None:
    """List, then watch, for ever; the library connects again by itself."""
    await config.load_kube_config(kubeconfig)
    pods = {}
    with Path(seen).open("ab", buffering=0) as file:  # noqa: ASYNC230 - a byte at a time
        async with client.ApiClient() as api, watch.Watch() as watching:
            core = client.CoreV1Api(api)
            listed = await core.list_namespaced_pod(namespace, label_selector=selector)
            pods = {pod.metadata.name: pod for pod in listed.items}
            file.write(b"." * (len(pods) + 1))
            async for event in watching.stream(
                core.list_namespaced_pod,
                namespace,
                label_selector=selector,
                resource_version=listed.metadata.resource_version,
            ):
                pods[event["object"].metadata.name] = event["object"]
                file.write(b".")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
