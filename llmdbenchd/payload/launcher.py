"""The life of one launcher: take the folder, start the harness once, watch it, prove it.

Whatever goes wrong is a problem with a constant kind and a sentence. No problem starts the
harness a second time, and none keeps the done mark from being written.
"""

from __future__ import annotations

import os
import select
import time
from importlib import import_module

from llmdbenchd.payload import child
from llmdbenchd.payload.barrier import Barrier
from llmdbenchd.payload.contract import Code, Context, Refusal, broken, listing
from llmdbenchd.payload.keyed import KEY
from llmdbenchd.payload.script import InPlace, Script
from llmdbenchd.payload.tee import FLUSH_S, LogFile, Mirror, Tee

STREAMS = ("stdout", "stderr")


class Launcher:
    """What is known so far; each step adds to it, and `seal` writes it down.

    Attributes:
        argv: what was started, as the metadata tells it; empty while nothing was.
        status: the harness's wait status, or None while it never ran.
        started: UTC seconds, as is `stopped_at`; None while it never ran.
        problems: `{"kind", "detail"}`, in the order in which they came.
        code: the exit code that our own trouble asks for, or 0.
    """

    def __init__(self, context: Context) -> None:
        self.context = context
        self.signals = child.Signals()
        self.stop = child.Stop(context.grace_s, context.stop_file)
        self.logs: list[LogFile] = []
        self.mirrors = [Mirror(1), Mirror(2)]
        self.script: Script | InPlace | None = None
        self.argv: list[str] = []
        self.status: int | None = None
        self.started: float | None = None
        self.stopped_at: float | None = None
        self.facts: dict[str, object] = {}
        self.problems: list[dict[str, str]] = []
        self.code = 0
        self.barrier = Barrier.of(context.env)

    def trouble(self, kind: str, detail: str, code: int = 0) -> None:
        """Note a problem and say it; the first `code` given becomes our exit code."""
        self.problems.append({"kind": kind, "detail": detail})
        self.code = self.code or code
        self.say(detail)

    def say(self, sentence: str) -> None:
        """Tell whoever follows our log."""
        self.mirrors[1].write(_said(sentence))

    def take_folder(self) -> None:
        """Make the results folder ours, once and for ever.

        Raises:
            Refusal: it cannot be written, or a load was started in it before.
        """
        results = self.context.results
        try:
            os.makedirs(results, exist_ok=True)
            if os.path.lexists(os.path.join(results, f"{STREAMS[0]}.log")):
                sentence = f"a load was started in {results} before; it never is again"
                raise Refusal(Code.STARTED_BEFORE, "started before", sentence)
            self.logs = [LogFile(os.path.join(results, f"{name}.log")) for name in STREAMS]
        except OSError as error:
            sentence = f"the results folder {results} cannot be written: {error.strerror}"
            raise Refusal(Code.NO_RESULTS_FOLDER, "no results folder", sentence) from error

    def run(self) -> None:
        """Start the harness and see it through to the end of all that it started.

        Raises:
            Refusal: it was not started.
        """
        self._fetch()
        self.script = InPlace(self.context) if self.context.executable else Script(self.context)
        command = self.script.prepare()
        self.barrier.wait(self._is_asked_to_end)
        if self.barrier.folder:
            self.facts["barrier_s"] = round(self.barrier.waited_s, 3)
        if self.barrier.later_s:
            self.facts["stagger_s"] = self.barrier.later_s
        if self._is_asked_to_end():
            sentence = "asked to end before the harness was started"
            raise Refusal(128 + self.stop.asked, "stopped early", sentence)
        now = time.time()
        command.env["LLMDBENCH_HARNESS_START"] = _iso(now) or ""
        harness, *pipes = child.start(command)
        self.started, self.argv = now, command.told
        try:
            self._attend(harness, pipes)
        finally:  # should we fail ourselves, the load does not go on without us
            if harness.status is None:
                harness.kill()

    def finish(self) -> None:
        """Add the facts: what the logs lost, and what the script makes of the results.

        Raises:
            Refusal: the script failed.
        """
        for log in self.logs:
            log.close()
        self.flush()
        self.facts["args"] = self.argv
        for name, log, mirror in zip(STREAMS, self.logs, self.mirrors):  # noqa: B905 - Python 3.9
            self.facts[f"{name}_bytes"] = log.kept + log.lost
            if log.broken:
                self.trouble("log lost", f"{log.name} lacks {log.lost} bytes: {log.broken}")
            if mirror.lost:
                reason = mirror.broken or "its reader stalled"
                self.trouble("output lost", f"our {name} lacks {mirror.lost} bytes: {reason}")
        self._blot()
        if self.script is not None and self.status is not None:
            self.facts.update(self.script.finish(os.waitstatus_to_exitcode(self.status)))

    def _blot(self) -> None:
        """See to it that the endpoint's key does not come home, whatever has written it."""
        if not self.context.env.get(KEY):
            return
        from llmdbenchd.payload import keys  # noqa: PLC0415 - most endpoints want none

        try:
            for path in keys.blot(self.context.results, self.context.env[KEY]):
                self.trouble("key found", f"{path} held the endpoint's key: stars are over it")
        except OSError as error:
            self.trouble("unread", f"not searched for the key: {error.filename}: {error.strerror}")

    def seal(self) -> None:
        """Write metadata, manifest and done mark; what cannot be written is a problem."""
        from llmdbenchd.payload import evidence  # noqa: PLC0415 - loaded while the harness runs

        results, digest = self.context.results, None
        try:
            evidence.write_durably(results, evidence.METADATA, evidence.metadata(self._metadata()))
            digest, unread = evidence.write_manifest(results)
            for sentence in unread:
                self.trouble("unread", f"not in the manifest: {sentence}", Code.NOT_WRITTEN)
        except OSError as error:
            self.trouble("not written", f"no manifest: {error.strerror}", Code.NOT_WRITTEN)
        try:
            evidence.write_done(results, self._mark(digest))
        except OSError as error:
            self.trouble("not written", f"no done mark: {error.strerror}", Code.NOT_WRITTEN)

    def flush(self) -> None:
        """Give the readers of our own output a last chance."""
        deadline = time.monotonic() + FLUSH_S
        for mirror in self.mirrors:
            mirror.finish(deadline)

    @property
    def rc(self) -> int | None:
        """The harness's exit code as a shell would tell it, or None."""
        if self.status is None:
            return None
        code = os.waitstatus_to_exitcode(self.status)
        return code if code >= 0 else 128 - code

    @property
    def exit_code(self) -> int:
        """What our own exit code must be, as far as is known now."""
        if self.code or self.stop.asked:
            return self.code or 128 + self.stop.asked
        return self.rc or 0

    def _fetch(self) -> None:
        """Fetch the job's data set, if it has one; being asked to end is noticed soon after."""
        if not self.context.env.get("LLMDBENCH_RUN_DATASET_URL"):
            return
        from llmdbenchd.payload import dataset  # noqa: PLC0415 - most jobs have none

        try:
            self.facts.update(dataset.fetch(self.context, self._asked_within))
        except dataset.Stopped:
            self.say("asked to end while the data set was fetched")

    def give_up(self) -> None:
        """A launcher that does not start its harness keeps the others from nothing."""
        try:
            self.barrier.arrive()
            self.barrier.leave()
        except OSError as error:
            self.say(f"the barrier {self.barrier.folder} cannot be used: {error.strerror}")

    def _is_asked_to_end(self) -> bool:
        return self._asked_within(0.0)

    def _asked_within(self, seconds: float) -> bool:
        """Wait so long; True as soon as we are asked to end, and ever after."""
        deadline = time.monotonic() + seconds
        while not self.stop.asked:
            self.stop.ask(self.signals.read() + self.stop.look())
            left_s = deadline - time.monotonic()
            if self.stop.asked or left_s <= 0:
                break
            select.select([self.signals.fd], [], [], min(left_s, child.LOOK_S))
        return self.stop.asked != 0

    def _attend(self, harness: child.Child, pipes: list[int]) -> None:
        tee, begun = Tee(self.signals.fd), time.monotonic()
        for pipe, log, mirror in zip(pipes, self.logs, self.mirrors):  # noqa: B905 - Python 3.9
            tee.add(pipe, log, mirror)
        import_module("llmdbenchd.payload.evidence").reserve(self.context.results)
        child.attend(harness, tee, self.signals, self.stop, self.say)
        self.status, self.stopped_at = harness.status, time.time()
        self.facts["duration_s"] = round(time.monotonic() - begun, 3)
        left_behind = child.settle(harness, tee, self.signals, self.stop)
        tee.abandon()
        if left_behind:
            self.trouble("left behind", left_behind)

    def _metadata(self) -> dict[str, object]:
        env, seconds = self.context.env, self.facts.get("duration_s")
        return {
            "harness_start": _iso(self.started),
            "harness_stop": _iso(self.stopped_at),
            "harness_delta": f"PT{seconds:.0f}S" if isinstance(seconds, float) else None,
            "harness_args": " ".join(self.argv[1:]),
            "harness_version": self.facts.get("version", ""),
            "harness_name": self.context.harness,
            "harness_workload": self.context.workload,
            "harness_rc": self.rc,
            "experiment_id": env.get("LLMDBENCH_RUN_EXPERIMENT_ID", ""),
            "model": env.get("LLMDBENCH_DEPLOY_CURRENT_MODEL", ""),
            "endpoint_url": env.get("LLMDBENCH_HARNESS_STACK_ENDPOINT_URL", ""),
            "namespace": env.get("LLMDBENCH_VLLM_COMMON_NAMESPACE", ""),
            "description_text": env.get("LLMDBENCH_DESCRIPTION_TEXT", ""),
            "description_keywords": env.get("LLMDBENCH_DESCRIPTION_KEYWORDS", ""),
        }

    def _mark(self, manifest_sha256: str | None) -> dict[str, object]:
        was_killed = self.status is not None and os.WIFSIGNALED(self.status)
        return {
            "harness_rc": None if was_killed else self.rc,
            "signal": os.WTERMSIG(self.status or 0) if was_killed else None,
            "stopped": self.stop.asked != 0,
            "started": _iso(self.started),
            "stopped_at": _iso(self.stopped_at),
            "exit_code": self.exit_code,
            "manifest_sha256": manifest_sha256,
            "facts": self.facts,
            "problems": self.problems,
        }


def main(scripts: str) -> int:
    """Run one harness as the environment says; returns the exit code.

    Args:
        scripts: the folder with the harness scripts, unless the environment names another.
    """
    try:
        launcher = Launcher(Context(dict(os.environ), scripts))
        launcher.take_folder()
    except Refusal as refusal:
        mirror = Mirror(2)
        mirror.write(_said(refusal.sentence))
        mirror.finish(time.monotonic() + FLUSH_S)
        return refusal.code
    launcher.mirrors[0].write(os.fsencode(listing(launcher.context.env)))
    try:
        launcher.run()
    except Refusal as refusal:
        launcher.trouble(refusal.kind, refusal.sentence, refusal.code)
    except Exception as error:  # noqa: BLE001 - whatever it is, what there is gets its proof
        mistake = broken("launcher broken", "the launcher", error)
        launcher.trouble(mistake.kind, mistake.sentence, mistake.code)
    if launcher.status is None:
        launcher.give_up()
    try:
        launcher.finish()
    except Refusal as refusal:  # the load was what it was: our exit code does not change
        launcher.trouble(refusal.kind, refusal.sentence)
    launcher.seal()
    launcher.flush()
    return launcher.exit_code


def _said(sentence: str) -> bytes:
    return os.fsencode(f"launcher: {sentence}\n")


def _iso(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(seconds))
