"""The files that the exporters read by themselves: they would fail at every export, and in silence."""

import ssl
from pathlib import Path

from service.settings.errors import SettingsError
from service.settings.reader import Reader

_AUTHORITIES = "OTEL_EXPORTER_OTLP_CERTIFICATE"
_CERTIFICATE = "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"
_KEY = "OTEL_EXPORTER_OTLP_CLIENT_KEY"


def check_certificates(read: Reader) -> None:
    """Look into the files of TLS for OTLP.

    Args:
        read: The environment.

    Raises:
        SettingsError: One is not there or does not hold what it should.
    """
    authorities, certificate, key = (read.optional(name, _file) for name in (_AUTHORITIES, _CERTIFICATE, _KEY))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if authorities is not None:
        try:
            context.load_verify_locations(authorities)
        except OSError as error:
            raise SettingsError(_AUTHORITIES, "expected certificates in PEM", authorities) from error
    if certificate is None:
        if key is not None:
            raise SettingsError(_KEY, f"expected its certificate in {_CERTIFICATE}")
        return
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except (OSError, ValueError) as error:
        expected = f"expected a certificate in PEM and its key without a password, there or in {_KEY}"
        raise SettingsError(_CERTIFICATE, expected, certificate) from error


def is_file(path: Path) -> bool:
    """Say whether there is a file."""
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that is too long, or with a NUL
        return False


def _file(name: str, raw: str) -> str:
    if not is_file(Path(raw)):
        raise SettingsError(name, "expected a file", raw)
    return raw


def _no_password() -> bytes:
    # Without this OpenSSL would ask on the terminal, and wait.
    return b""
