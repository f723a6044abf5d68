"""`llmdbenchd simulate`: the stand-in model server, in the foreground until it is stopped."""

import argparse
import asyncio
import os
import re
import signal
import sys
from contextlib import suppress
from pathlib import Path

from llmdbenchd.settings import process_environment
from llmdbenchd.simulate.instances import launching
from llmdbenchd.simulate.load import Failure, Load
from llmdbenchd.simulate.options import DEFAULT_MODEL, Mode, Options, WrongOptions
from llmdbenchd.simulate.server_log import LoadFailed
from llmdbenchd.simulate.serving import serving

_GOOD = 0
_NO = 1
_WRONG_USAGE = 2
_KILLED = 128 + signal.SIGKILL

_TIME = re.compile(r"(\d+(?:\.\d+)?|\.\d+)\s*(ms|s|)")


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "simulate",
        help="a stand-in model server with a known truth",
        description="Serve OpenAI completions and chat like vLLM, with set times between tokens "
        "and exactly as many tokens as were asked for. Prints its address once it listens.",
        epilog="A harness that looks for the model's tokenizer finds it with HF_HOME=DIR of "
        "--hf-cache and HF_HUB_OFFLINE=1.",
    )
    _add_address(parser)
    _add_files(parser)
    _add_model(parser)
    _add_timing(parser)
    _add_faults(parser)
    _add_load(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT: 0 stopped, 1 could not serve, 2 wrong options."""
    try:
        options = _options(args)
    except WrongOptions as error:
        for problem in error.problems:
            print(f"llmdbenchd simulate: {problem}", file=sys.stderr)
        return _WRONG_USAGE
    try:
        asyncio.run(_serve(options, args.instances_port))
    except OSError as error:
        print(f"llmdbenchd simulate: cannot serve: {error}", file=sys.stderr)
        return _NO
    except LoadFailed:
        if options.load and options.load.fail is Failure.KILLED:
            os.kill(os.getpid(), signal.SIGKILL)
            return _KILLED  # the first process of a container does not die of its own signal
        return _NO
    return _GOOD


def _options(args: argparse.Namespace) -> Options:
    return Options(
        host=args.host,
        port=args.port,
        models=tuple(args.model or (DEFAULT_MODEL,)),
        ttft_s=args.ttft,
        itl_s=args.itl,
        failure_rate=args.failure_injection_rate,
        fail_every=args.fail_every,
        refuse_after=args.refuse_after,
        startup_s=args.startup_duration,
        max_num_seqs=args.max_num_seqs,
        max_model_len=args.max_model_len,
        seed=args.seed,
        mode=Mode(args.mode),
        truth=args.truth,
        hf_cache=args.hf_cache,
        address_file=args.address_file,
        load=_load(args),
        api_key=args.api_key,
    )


def _load(args: argparse.Namespace) -> Load | None:
    if args.load_log is None:
        return None
    return Load(
        version=args.load_log,
        seconds=args.load_seconds,
        values=dict(args.load_value),
        debug=args.load_debug,
        sleep_mode=args.enable_sleep_mode,
        fail=Failure(args.load_fail) if args.load_fail else None,
    )


async def _serve(options: Options, instances_port: int | None) -> None:
    """Until a signal, which may come while the load is still written."""
    serves = asyncio.current_task()
    assert serves is not None  # noqa: S101 - a coroutine that runs has a task
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, serves.cancel)
    with suppress(asyncio.CancelledError):
        if instances_port is not None:
            async with launching(options, instances_port) as address:
                print(address, flush=True)
                await asyncio.Event().wait()
        async with serving(options) as address:
            print(address, flush=True)
            await asyncio.Event().wait()


def _add_address(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("where")
    group.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    group.add_argument("--port", type=int, default=8000, help="0 = any free one (%(default)s)")
    group.add_argument(
        "--instances-port",
        type=int,
        metavar="PORT",
        help="be an inference launcher there instead, whose REST API starts and ends such servers",
    )


def _add_files(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what it writes")
    group.add_argument(
        "--address-file",
        type=Path,
        metavar="PATH",
        help="holds the address from the moment the server listens until it stops",
    )
    group.add_argument(
        "--truth", type=Path, metavar="FILE", help="JSONL, made anew: what was really sent"
    )
    group.add_argument(
        "--hf-cache",
        type=Path,
        metavar="DIR",
        help="write a Hugging Face cache, so that the model's name is a tokenizer's too",
    )


def _add_model(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what it serves")
    group.add_argument(
        "--model", action="append", metavar="ID", help=f"repeatable ({DEFAULT_MODEL})"
    )
    group.add_argument(
        "--max-model-len",
        type=int,
        default=131072,
        metavar="N",
        help="tokens of prompt and reply together (%(default)s)",
    )
    group.add_argument(
        "--mode",
        choices=[str(mode) for mode in Mode],
        default=str(Mode.RANDOM),
        help="reply with random words or with the prompt's own (%(default)s)",
    )
    group.add_argument(
        "--api-key",
        metavar="KEY",
        default=process_environment().get("VLLM_API_KEY"),
        help="whoever asks below /v1 without it gets 401 (VLLM_API_KEY, else anybody may ask)",
    )
    group.add_argument("--seed", type=int, default=0, help="of words and failures (%(default)s)")


def _add_timing(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("how fast it is")
    group.add_argument(
        "--ttft",
        "--time-to-first-token",
        type=_seconds,
        default=0.05,
        metavar="MS",
        help="milliseconds from arrival to the first token (50)",
    )
    group.add_argument(
        "--itl",
        "--inter-token-latency",
        type=_seconds,
        default=0.01,
        metavar="MS",
        help="milliseconds from token to token (10)",
    )
    group.add_argument(
        "--max-num-seqs", type=int, metavar="N", help="requests at once; more wait (no limit)"
    )


def _add_faults(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what goes wrong on purpose")
    group.add_argument(
        "--failure-injection-rate",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="share of requests answered with 500, 0 to 1",
    )
    group.add_argument("--fail-every", type=int, metavar="N", help="every n-th request gets 500")
    group.add_argument(
        "--refuse-after", type=int, metavar="N", help="after N requests all others get 503"
    )
    group.add_argument(
        "--startup-duration",
        type=float,
        default=0.0,
        metavar="S",
        help="seconds of 503 before it is ready",
    )


def _add_load(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "its load",
        "A log on stdout as vLLM writes it while it starts, before it listens; "
        "`llmdbenchd nop` reads from it what is asked for here.",
    )
    group.add_argument("--load-log", metavar="VERSION", help="whose wording: 0.6 to 0.32")
    group.add_argument(
        "--load-seconds", type=float, default=3.0, metavar="S", help="in all (%(default)s)"
    )
    group.add_argument(
        "--load-value",
        action="append",
        type=_named_value,
        default=[],
        metavar="NAME=NUMBER",
        help="a stage's seconds or a size, such as weights_load_s=1.5 or kv_cache_tokens=4096; "
        "stages that are not named share what is left of the seconds; repeatable",
    )
    group.add_argument(
        "--load-debug", action="store_true", help="lines of level DEBUG, stamps with milliseconds"
    )
    group.add_argument(
        "--load-fail", choices=[str(one) for one in Failure], help="fail on purpose, and exit"
    )
    group.add_argument(
        "--enable-sleep-mode", action="store_true", help="/sleep frees memory, as the log tells"
    )


def _named_value(text: str) -> tuple[str, float]:
    name, _, number = text.partition("=")
    try:
        return name.strip(), float(number)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: write NAME=NUMBER") from None


def _seconds(text: str) -> float:
    """Milliseconds as a plain number; `50ms` and `1.5s` are understood too."""
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no time: write 50, 50ms or 0.05s")
    number, unit = float(match[1]), match[2]
    return number if unit == "s" else number / 1000
