"""What runs in the stand-in that loads: composed lines in the wording of vLLM 0.19, then HTTP."""

import json
import os
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

MODEL = "llmdbench/tiny"
ENGINE, FRONT = "(EngineCore pid=84)", "(APIServer pid=1)"
CONFIG = (
    f"Initializing a V1 LLM engine (v0.19.1) with config: model='{MODEL}', load_format=auto, "
    "enforce_eager=False, enable_sleep_mode={}"
)
LOAD = (
    (ENGINE, f"Starting to load model {MODEL}..."),
    (ENGINE, "Loading weights took 0.41 seconds"),
    (ENGINE, "Model loading took 0.93 GiB memory and 0.750000 seconds"),
    (ENGINE, "Dynamo bytecode transform time: 0.31 s"),
    (ENGINE, "Compiling a graph for compile range (1, 2048) takes 0.52 s"),
    (ENGINE, "torch.compile took 0.83 s in total"),
    (ENGINE, "Available KV cache memory: 41.12 GiB"),
    (ENGINE, "GPU KV cache size: 100,000 tokens"),
    (ENGINE, "Graph capturing finished in 0.25 secs, took 0.40 GiB"),
    (ENGINE, "init engine (profile, create kv cache, warmup model) took 1.50 seconds"),
)
DIED = Path("/kept/died")
STATE = {"is_sleeping": False}


def say(process: str, text: str) -> None:
    """One line as vLLM writes it."""
    stamp = time.strftime("%m-%d %H:%M:%S", time.gmtime())
    sys.stdout.write(f"{process} INFO {stamp} [loading.py:1] {text}\n")
    sys.stdout.flush()


class Handler(BaseHTTPRequestHandler):
    """The few paths that a recorder asks for."""

    def do_GET(self) -> None:
        """Health, models, whether it sleeps."""
        answers = {
            "/health": {},
            "/v1/models": {"data": [{"id": MODEL}]},
            "/version": {"version": "0.19.1"},
        }
        if os.environ["SLEEPS"]:
            answers["/is_sleeping"] = dict(STATE)
        self._answer(answers.get(self.path))

    def do_POST(self) -> None:
        """Sleep, wake, reload, one token."""
        path, _, query = self.path.partition("?")
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if path == "/sleep":
            time.sleep(0.2)
            backed = 0.9 if "level=1" in query else 0.0
            say(
                ENGINE,
                "CuMemAllocator: sleep freed 69.50 GiB memory in total, of which "
                f"{backed:.2f} GiB is backed up in CPU and the rest {69.5 - backed:.2f} GiB "
                "is discarded directly.",
            )
            say(ENGINE, "Sleep mode freed 69.50 GiB memory, 0.75 GiB memory is still in use.")
            say(ENGINE, "It took 0.200000 seconds to fall asleep.")
            STATE["is_sleeping"] = True
        elif path == "/wake_up" and "tags=weights" not in query:
            time.sleep(0.1)
            say(ENGINE, "It took 0.100000 seconds to wake up tags {'weights', 'kv_cache'}.")
            STATE["is_sleeping"] = False
        self._answer({"choices": [{"text": "a"}]})

    def _answer(self, body: object) -> None:
        text = json.dumps(body).encode()
        self.send_response(404 if body is None else 200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Nothing: the log is the point."""


def talk() -> None:
    """Go on writing, so that a line that is missing or doubled is noticed."""
    number = 0
    while True:
        say(ENGINE, f"tick {number}")
        number += 1
        time.sleep(0.1)


def main() -> None:
    """Load, or die in the middle of it; then serve."""
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    pause = float(os.environ["LOAD_SECONDS"]) / len(LOAD)
    say(FRONT, "vLLM API server version 0.19.1")
    say(
        FRONT,
        f"non-default args: {{'model': '{MODEL}', "
        f"'enable_sleep_mode': {bool(os.environ['SLEEPS'])}}}",
    )
    say(ENGINE, CONFIG.format(bool(os.environ["SLEEPS"])))
    for number, (process, text) in enumerate(LOAD):
        time.sleep(pause)
        say(process, text)
        if number == 4 and os.environ["DIES"] and not DIED.exists():
            if os.environ["DIES"] == "once":
                DIED.touch()
            os._exit(137)
    server = ThreadingHTTPServer(("", 8000), Handler)
    say(FRONT, "Starting vLLM server on http://0.0.0.0:8000")
    say(FRONT, "Available routes are:")
    sys.stdout.write(f"{FRONT} INFO:     Started server process [1]\n")
    sys.stdout.write(f"{FRONT} INFO:     Application startup complete.\n")
    sys.stdout.flush()
    if os.environ["TALKS"]:
        threading.Thread(target=talk, daemon=True).start()
    server.serve_forever()


if __name__ == "__main__":
    main()
