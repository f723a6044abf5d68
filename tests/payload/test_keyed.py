"""An endpoint that wants a key: the load generator has it, and nobody finds it written down."""

import os
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.daemon.real import harness_venvs, simulator
from tests.payload.stage import LAUNCH, Stage
from tests.payload.test_real_harnesses import metadata, shipped

pytestmark = [pytest.mark.slow, pytest.mark.real, pytest.mark.timeout(240)]
KEY = "a-key-that-nobody-may-find-4711"


@contextmanager
def doorkeeper(behind: str) -> Iterator[tuple[str, list[int]]]:
    """A server before another one: whoever has no key gets 401. Its address and its answers."""
    answers: list[int] = []

    class Doorkeeper(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Authorization") != f"Bearer {KEY}":
                self._say(401, b"{}")
                return
            headers = {"Content-Type": self.headers["Content-Type"]}
            asked = urllib.request.Request(behind + self.path, body, headers)  # noqa: S310 - ours
            with urllib.request.urlopen(asked) as answer:  # noqa: S310 - ours
                self._say(answer.status, answer.read())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def _say(self, status: int, body: bytes) -> None:
            answers.append(status)
            self.send_response(status)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Doorkeeper)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", answers
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_inference_perf_has_the_key_and_writes_it_nowhere(stage: Stage, tmp_path: Path) -> None:
    stages = [{"rate": 4, "duration": 2}]
    with simulator(tmp_path) as server, doorkeeper(server.address) as (address, answers):
        workload = shipped(
            "inference-perf", "sanity_random", server, load__stages=stages, server__base_url=address
        )
        (stage.folder / "workspace/profiles/inference-perf/x.yaml").write_text(workload)
        stage.env |= {
            "PATH": f"{harness_venvs() / 'inference-perf' / 'bin'}:{os.environ['PATH']}",
            "LLMDBENCH_RUN_EXPERIMENT_HARNESS_WORKLOAD_NAME": "x.yaml",
            "HF_HOME": str(server.cache),
            "HF_HUB_OFFLINE": "1",
            "HOME": str(stage.folder),
            "OPENAI_API_KEY": KEY,
        }
        done = subprocess.run(
            [*stage.python, LAUNCH], env=stage.env, capture_output=True, check=False
        )

    assert done.returncode == 0, done.stdout + done.stderr
    assert answers
    assert set(answers) == {200}
    assert KEY.encode() not in done.stdout + done.stderr
    assert metadata(stage)["harness_args"].startswith("--config_file ")
    assert metadata(stage)["harness_version"]
    files = [path for path in stage.results.rglob("*") if path.is_file()]
    assert files
    assert [path.name for path in files if KEY.encode() in path.read_bytes()] == []
