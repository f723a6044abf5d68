"""Plain requests to an API server that goes away in the middle: nothing of them is left."""

import gc
import select
import socket
import ssl
import struct
import threading
import warnings
from typing import Any

from tests.cluster.api import Api

RESET = struct.pack("ii", 1, 0)  # SO_LINGER of no seconds: closing sends a RST


class Late(ssl.SSLContext):
    """Begins with TLS when the server is gone already."""

    def wrap_socket(self, sock: socket.socket, *given: Any, **named: Any) -> ssl.SSLSocket:  # noqa: ANN401 - passed on
        gone = select.poll()
        gone.register(sock, select.POLLHUP)
        assert gone.poll(10_000)
        return super().wrap_socket(sock, *given, **named)


def test_a_server_that_is_killed_before_tls_begins_leaves_no_socket_open() -> None:
    """Python's own TLS socket is forgotten open then: the watch's tests met it after a kill."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        killed = threading.Thread(target=_reset, args=(server,))
        killed.start()
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            assert _is_refused(Api("127.0.0.1", server.getsockname()[1], _late()))
            gc.collect()
        killed.join()

    assert [str(one.message) for one in told] == []


def _late() -> Late:
    context = Late(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    return context


def _is_refused(api: Api) -> bool:
    try:
        api.ask("GET", "/")
    except OSError:
        return True
    return False


def _reset(server: socket.socket) -> None:
    connection, _ = server.accept()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    connection.close()
