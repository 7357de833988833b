"""HTTP/1.1 with bounds: what uvicorn's protocol lets a client hold on to, this one does not.

httptools bounds neither the bytes of a head nor the time it takes (RFC 9112 leaves both to the server),
a trailer can change the headers of a request that was judged already, and pipelined requests are read
for as long as the first one waits. What is not HTTP is answered with a bare status, counted and kept
out of the log; what is HTTP is the application's.
"""

from service.server.closing import LEAVING
from service.server.protocol import BoundedProtocol, bounded, room

__all__ = ["LEAVING", "BoundedProtocol", "bounded", "room"]
