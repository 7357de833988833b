"""The command line. Results go to standard output, everything else to standard error."""

import re
from collections.abc import MutableMapping, Sequence

# What the OpenTelemetry SDK, its instrumentations and the Prometheus client read by themselves, some of it while
# they are imported, and stop at in words of their own. All of it is decided here: it must have no effect.
_DECIDED = re.compile(
    r"OTEL_SDK_DISABLED|OTEL_(?:TRACES|LOGS|METRICS)_EXPORTER|OTEL_EXPORTER_OTLP_(?:TRACES|LOGS|METRICS)_\w+"
    r"|OTEL_EXPORTER_OTLP_TIMEOUT"  # milliseconds by the specification, seconds to the SDK
    r"|OTEL_PROPAGATORS|OTEL_\w+_LIMIT|OTEL_(?:BSP|BLRP|PYTHON|INSTRUMENTATION_HTTP)_\w+|(?i:PROMETHEUS_MULTIPROC_DIR)"
)


def execute(arguments: Sequence[str], environ: MutableMapping[str, str]) -> int:
    """Run one command and give its exit status: 0 done, 1 refused or failed, 2 misused.

    Args:
        arguments: Those of the command line, without the program.
        environ: The environment of the process; loses what has no effect on the service.

    Raises:
        SystemExit: The arguments are wrong, or only help was asked for.
    """
    for name in tuple(environ):
        if _DECIDED.fullmatch(name):
            del environ[name]
    from service.commands.dispatch import dispatch  # noqa: PLC0415 - the libraries are imported from here on

    return dispatch(arguments, environ)
