"""Settings for servers: everything secret comes from the environment, everything is HTTPS."""

import os

from django.core.exceptions import ImproperlyConfigured

from deploy.settings.base import *
from deploy.settings.database import owner_problem, pooled

_REQUIRED = (
    "ALLOWED_HOSTS",
    "BROKER_URL",
    "CHANNELS_URL",
    "DATABASE_URL",
    "FRONTLINE_DATA_KEY",
    "FRONTLINE_SECRET_KEY",
)
_missing = [name for name in _REQUIRED if not os.environ.get(name)]
if _missing:
    raise ImproperlyConfigured(f"Set {', '.join(_missing)} in the environment.")
if _problem := owner_problem(os.environ):
    raise ImproperlyConfigured(_problem)

DATABASES["default"] = pooled(
    DATABASES["default"], size_max=int(os.environ.get("DATABASE_POOL_MAX", "28"))
)

FRONTLINE_SAMPLE_BANK = False

SECURE_SSL_REDIRECT = True
# Health checks come from inside, without the proxy that speaks HTTPS.
SECURE_REDIRECT_EXEMPT = [r"^health/"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in ALLOWED_HOSTS]
SERVESTATIC_USE_FINDERS = False
