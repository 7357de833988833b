"""Every setting of the service: read once, checked whole, then frozen.

`Settings.load(environ)` takes the environment as a mapping; only `service.__main__` hands in the real
one. A bad value raises `SettingsError`: one line with the name and what was expected, and never the
value of a secret.
"""

from service.settings.errors import SettingsError
from service.settings.limits import RateLimitPolicy
from service.settings.model import Settings
from service.settings.secret import Secret

__all__ = ["RateLimitPolicy", "Secret", "Settings", "SettingsError"]
