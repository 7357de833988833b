"""What keys are called: nobody can be told from a name, and all of a deployment's are on one node of a cluster."""

from hashlib import blake2b

from service.limits.digest import DIGEST_BYTES
from service.limits.redis.link import framed


class KeyNames:
    """Names of one deployment's keys.

    All have one hash tag, so that one script may touch any of them in a cluster. It depends on the secret: who has
    another one counts apart in every way.

    Args:
        secret: what digests are keyed with; all processes that count together have the same. Any length.
    """

    def __init__(self, secret: bytes) -> None:
        # blake2b takes keys of 64 bytes at most.
        self._digests = blake2b(key=blake2b(secret).digest(), digest_size=DIGEST_BYTES, person=b"rate limit keys")
        self._tag = b"{clearstory:%b}" % self.digest("deployment").hex()[:8].encode()

    def digest(self, key: str) -> bytes:
        """What stands for a caller's key, here and there."""
        digest = self._digests.copy()
        digest.update(key.encode("utf-8", "surrogatepass"))
        return digest.digest()

    def window(self, policy: str, digest: bytes) -> bytes:
        """Where hits of a key under `policy` are kept, framed."""
        return framed(b"%b:%b:%b" % (self._tag, policy.encode(), digest.hex().encode()))

    def processes(self) -> bytes:
        """Where processes are kept, framed."""
        return framed(b"%b:processes" % self._tag)
