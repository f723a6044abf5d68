"""`llmdbenchd preprocess install`: the scripts that a stack's vLLM pods run before the server."""

import argparse
import asyncio
import json

from llmdbenchd.cli.state import GOOD, Folders, add_common, answering
from llmdbenchd.edge.files.preprocess import shipped_preprocess
from llmdbenchd.edge.kubernetes.preprocess import CONFIG_MAP, install
from llmdbenchd.edge.kubernetes.session import Access, Session
from llmdbenchd.ports import Refused
from llmdbenchd.settings import process_environment


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "preprocess",
        help="give a stack the scripts that prepare its vLLM pods",
        description=f"Put the scripts into ConfigMap {CONFIG_MAP} of the stack's namespace, which "
        "its vLLM pods mount at /setup/preprocess. What else is in it stays.",
        epilog="Needs deploy/rbac-stack-preprocess.yaml there, with the kubeconfig of whoever "
        "calls: the daemon's own Roles do not have it. Running pods see it after a restart. "
        "Exit code: 0 done, 1 refused, 3 it could not be asked.",
    )
    parser.add_argument("what", choices=["install"], help="put them there")
    parser.add_argument("--namespace", metavar="NAME", help="of the stack (the context's)")
    add_common(parser)
    parser.set_defaults(run=answering(_install))


def _install(args: argparse.Namespace, folders: Folders) -> int:
    settings = folders.settings
    access = Access(settings.kubeconfig, settings.context, process_environment())
    scripts = shipped_preprocess()
    namespace, became = asyncio.run(_installed(access, args.namespace, scripts))
    if args.json:
        told = {"namespace": namespace, "config_map": CONFIG_MAP, "became": became}
        print(json.dumps(told | {"scripts": sorted(scripts)}))
    else:
        print(f"{became}: ConfigMap {CONFIG_MAP} in {namespace}: {', '.join(sorted(scripts))}")
    return GOOD


async def _installed(access: Access, asked: str | None, scripts: dict[str, str]) -> tuple[str, str]:
    async with await Session.open(access) as session:
        namespace = asked or session.namespace
        if not namespace:
            raise Refused("which namespace: the kubeconfig's context names none; use --namespace")
        return namespace, await install(session, namespace, scripts)
