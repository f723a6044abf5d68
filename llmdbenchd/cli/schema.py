"""`llmdbenchd schema job`: JSON Schema on stdout, for editors."""

import argparse
import json

from llmdbenchd.core.job.schema import job_schema

_GOOD = 0


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "schema",
        help="the job file's JSON Schema, for editors",
        description="Print the JSON Schema (draft 2020-12) of the job file.",
        epilog="Try: llmdbenchd schema job > job.schema.json   and begin a job file with "
        "`# yaml-language-server: $schema=job.schema.json`.",
    )
    parser.add_argument("of", choices=["job"], help="what the schema is of")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:  # noqa: ARG001 - there is one schema, `of` names it
    """Print the schema."""
    print(json.dumps(job_schema(), indent=2, ensure_ascii=False))
    return _GOOD
