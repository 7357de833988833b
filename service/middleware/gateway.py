"""The gateway: nobody passes without a decision, and nobody without a token where one is needed."""

from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv6Address, ip_address

from starlette.types import ASGIApp, Receive, Scope, Send

from service.access import AUTH_POLICY, AccessMap, Principal
from service.auth import KeysUnavailable, TokenRefused, Verifier
from service.errors import HeadTooLarge, RateLimited, Unauthenticated, Unavailable
from service.limits import Decision, DecisionMetrics, Limiter, Metrics
from service.middleware.head import Head, read_head
from service.middleware.rate_limit_headers import rate_limit_headers
from service.middleware.refusal import refuse
from telemetry import current_request, get_logger, names

NAME = "gateway"
MAX_HEAD_BYTES = 64 * 1024
REASONS = ("head_too_large", "keys_unavailable", "auth_rate_limited")
_SCHEME = b"bearer "
_IPV6_SITE = 64

log = get_logger(__name__)


class Gateway:
    """Refuses heads over 64 KiB, resolves the route's access and makes the principal.

    Leaves `access` and, where a token was needed, `principal` in the scope.

    Args:
        app: what stands behind it.
        access: the audited decisions.
        verifier: of bearer tokens (RFC 6750).
        limiter: counts failed tokens by client address under the policy `auth`.
        metrics: gives where those are counted; called when the layer is built, since the telemetry that
            has them is made with the layers.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        access: AccessMap,
        verifier: Verifier,
        limiter: Limiter,
        metrics: Callable[[], Metrics],
    ) -> None:
        self.app = app
        self._count = DecisionMetrics(metrics(), (AUTH_POLICY,)).count
        self._resolve = access.resolve
        self._verifier = verifier
        self._limiter = limiter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Judge one request; other scope types have no head to judge and no route (the audit sees to it)."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        record = current_request(scope)
        head = read_head(scope)
        if head.size > MAX_HEAD_BYTES:
            # Before anything looks at a header, and for public routes too.
            await refuse(HeadTooLarge(), scope, receive, send, layer=NAME, reason="head_too_large")
            return
        method: str = scope["method"]
        access = scope["access"] = self._resolve(method, record.route)
        if access.auth == "bearer" and not (method == "OPTIONS" and head.is_preflight(method)):
            try:
                principal = await self._authenticate(head, record.client)
            except TokenRefused as error:
                log.info(names.AUTH_REJECTED, reason=error.reason)
                await refuse(Unauthenticated(error.reason), scope, receive, send, layer=NAME, reason=error.reason)
                return
            except _TooManyFailures as error:
                record.response_headers.extend(rate_limit_headers(AUTH_POLICY, error.decision))
                limited = RateLimited(
                    AUTH_POLICY, error.decision.limit, error.decision.window, error.decision.resets_in
                )
                log.info(names.AUTH_REJECTED, reason="auth_rate_limited")
                await refuse(limited, scope, receive, send, layer=NAME, reason="auth_rate_limited")
                return
            except KeysUnavailable as error:
                log.warning(names.AUTH_REJECTED, reason="keys_unavailable")
                unavailable = Unavailable(int(error.retry_after))
                await refuse(unavailable, scope, receive, send, layer=NAME, reason="keys_unavailable")
                return
            scope["principal"] = principal
            record.principal = principal.subject
        await self.app(scope, receive, send)

    async def _authenticate(self, head: Head, client: str) -> Principal:
        if head.authorization is None:
            raise TokenRefused("missing")
        if "authorization" not in head.repeated and head.authorization[:7].lower() == _SCHEME:
            token = head.authorization[7:].strip(b" ")
            principal = self._verifier.known(token)
            if principal is not None:
                return principal
        else:
            token = b""  # two credentials, or another scheme: judged, and counted, like a broken token
        address = address_key(client)
        decision = await self._limiter.peek(AUTH_POLICY, address)
        if not decision.allowed:
            self._count(AUTH_POLICY, decision)
            raise _TooManyFailures(decision)
        try:
            return await self._verifier.verify(token)
        except TokenRefused:
            # Those that were verified at the same time are counted one by one: never more failures are
            # told apart than the policy allows.
            decision = await self._limiter.hit(AUTH_POLICY, address)
            self._count(AUTH_POLICY, decision)
            if not decision.allowed:
                raise _TooManyFailures(decision) from None
            raise


class _TooManyFailures(Exception):
    def __init__(self, decision: Decision) -> None:
        super().__init__(AUTH_POLICY)
        self.decision = decision


@lru_cache(maxsize=4096)
def address_key(client: str) -> str:
    """The limiter's key of a client address: IPv4 whole, IPv6 by its /64, which one customer owns.

    IPv4-mapped IPv6 counts as IPv4; what is no address (a Unix socket) as itself.
    """
    try:
        address = ip_address(client.partition("%")[0])
    except ValueError:
        return f"client:{client}"
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return f"ip:{address.ipv4_mapped}"
        return f"ip:{int(address) >> (128 - _IPV6_SITE):x}/{_IPV6_SITE}"
    return f"ip:{address}"
