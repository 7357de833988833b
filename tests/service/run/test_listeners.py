"""The end of a listener: whoever it let in is taken, and it lets nobody in any more."""

import socket
import sys

import pytest

from service.listeners import take_waiting


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere whoever comes between the two is reset")
def test_nobody_comes_between_the_last_accept_and_the_close():
    """Who waits is taken; who comes then is not let in, to be reset by the close, but refused after it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        address = listener.getsockname()
        with socket.create_connection(address), socket.socket() as late:
            taken = take_waiting([listener])
            late.settimeout(0.3)
            with pytest.raises(TimeoutError):
                late.connect(address)
            with pytest.raises(BlockingIOError):
                listener.accept()
            for connection in taken:
                connection.close()
    assert len(taken) == 1
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)
