"""What runs in the pod: a start whose values are its lines' numbers, then HTTP."""

import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

MODEL = "llmdbench/tiny"
CONFIG = f"model='{MODEL}', load_format=auto, enforce_eager=False"


def say(process: str, text: str) -> None:
    """One line as vLLM writes it."""
    stamp = time.strftime("%m-%d %H:%M:%S", time.gmtime())
    sys.stdout.write(f"({process}) INFO {stamp} [speaking.py:1] {text}\n")
    sys.stdout.flush()


class Handler(BaseHTTPRequestHandler):
    """Healthy, with one model."""

    def do_GET(self) -> None:
        """The same for every path."""
        body = json.dumps({"data": [{"id": MODEL}]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Probes are not worth a line."""


if __name__ == "__main__":
    lines, rate = int(os.environ["LINES"]), float(os.environ["RATE"])
    time.sleep(float(os.environ["WAIT"]))
    say("APIServer pid=1", "vLLM API server version 0.19.1")
    say("EngineCore pid=84", f"Initializing a V1 LLM engine (v0.19.1) with config: {CONFIG}")
    for number in range(1, lines + 1):
        say("EngineCore pid=84", f"Loading weights took {number}.00 seconds")
        time.sleep(1 / rate)
    say("APIServer pid=1", "Starting vLLM server on http://0.0.0.0:8000")
    say("APIServer pid=1", "Available routes are:")
    print("(APIServer pid=1) INFO:     Application startup complete.", flush=True)
    HTTPServer(("", 8000), Handler).serve_forever()
