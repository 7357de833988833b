"""The gateway: nobody passes without a decision, and nobody without a token where one is needed."""

from collections.abc import Callable, Iterable

from starlette.types import ASGIApp, Receive, Scope, Send

from service.access import AUTH_POLICY, DEFAULT_POLICY, Access, AccessMap, Principal
from service.auth import KeysUnavailable, TokenRefused, Verifier
from service.errors import HeadTooLarge, RateLimited, Unauthenticated, Unavailable
from service.limits import Decision, DecisionMetrics, Limiter, Metrics
from service.middleware.head import Head, read_head
from service.middleware.refusal import refuse
from service.middleware.request_limit import RequestLimit, address_key, rate_limit_headers
from telemetry import RequestRecord, current_request, get_logger, names

NAME = "gateway"
MAX_HEAD_BYTES = 64 * 1024
REASONS = ("head_too_large", "keys_unavailable", "auth_rate_limited", "rate_limited")
_SCHEME = b"bearer "

log = get_logger(__name__)


class Gateway:
    """Refuses heads over 64 KiB, resolves the route's access and makes the principal.

    Leaves `access` and, where a token was needed, `principal` in the scope.

    Args:
        app: what stands behind it.
        access: the audited decisions.
        verifier: of bearer tokens (RFC 6750).
        limiter: counts by client address: failed tokens under the policy `auth`, requests without one
            under their route's, so that scanning is limited like use.
        policies: names of the policies of routes.
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
        policies: Iterable[str],
        metrics: Callable[[], Metrics],
    ) -> None:
        self.app = app
        self._limit = RequestLimit(limiter, policies, metrics)
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
                principal = await self._authenticate(head, access, record)
            except TokenRefused as error:
                log.info(names.AUTH_REJECTED, reason=error.reason)
                await refuse(Unauthenticated(error.reason), scope, receive, send, layer=NAME, reason=error.reason)
                return
            except RateLimited as error:
                reason = "auth_rate_limited" if error.policy == AUTH_POLICY else "rate_limited"
                log.info(names.AUTH_REJECTED, reason=reason)
                await refuse(error, scope, receive, send, layer=NAME, reason=reason)
                return
            except KeysUnavailable as error:
                log.warning(names.AUTH_REJECTED, reason="keys_unavailable")
                unavailable = Unavailable(int(error.retry_after))
                await refuse(unavailable, scope, receive, send, layer=NAME, reason="keys_unavailable")
                return
            scope["principal"] = principal
            record.principal = principal.subject
        await self.app(scope, receive, send)

    async def _authenticate(self, head: Head, access: Access, record: RequestRecord) -> Principal:
        authorization = head.authorization
        if authorization is None:
            await self._limit.hit(record, access.policy or DEFAULT_POLICY)
            raise TokenRefused("missing")
        if "authorization" not in head.repeated and authorization[:7].lower() == _SCHEME:
            token = authorization[7:].strip(b" ")
            principal = self._verifier.known(token)
            if principal is not None:
                return principal
        else:
            token = b""  # two credentials, or another scheme: judged, and counted, like a broken token
        address = address_key(record.client)
        decision = await self._limiter.peek(AUTH_POLICY, address)
        if not decision.allowed:
            raise self._too_many_failures(record, decision)
        try:
            return await self._verifier.verify(token)
        except TokenRefused:
            # Those that were verified at the same time are counted one by one: never more failures are
            # told apart than the policy allows.
            decision = await self._limiter.hit(AUTH_POLICY, address)
            if not decision.allowed:
                raise self._too_many_failures(record, decision) from None
            self._count(AUTH_POLICY, decision)
            raise

    def _too_many_failures(self, record: RequestRecord, decision: Decision) -> RateLimited:
        self._count(AUTH_POLICY, decision)
        record.response_headers.extend(rate_limit_headers(AUTH_POLICY, decision))
        return RateLimited(AUTH_POLICY, decision.limit, decision.window, decision.resets_in)
