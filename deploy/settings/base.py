"""Settings shared by every way of running the bank."""

import os
from importlib.util import find_spec
from pathlib import Path

from csp.constants import NONE, SELF

from deploy.home import SOURCE, home, keys, socket_note
from deploy.keys import key_in
from deploy.settings.broker import broker_options, broker_url
from deploy.settings.channels import channel_layers
from deploy.settings.database import administrator, databases
from deploy.settings.logs import logging_settings

BASE_DIR = SOURCE
FRONTLINE_HOME = home()
KEYS_DIR = keys()
# Who keeps the keys of decision tokens: "file", "process" (`manage.py signer`), or a class.
SENTINEL_SIGNER = os.environ.get("SENTINEL_SIGNER", "file")
SENTINEL_SIGNER_SOCKET = os.environ.get(
    "SENTINEL_SIGNER_SOCKET", str(FRONTLINE_HOME / "signer" / "signer.sock")
)

SECRET_KEY = os.environ.get("FRONTLINE_SECRET_KEY") or key_in(KEYS_DIR, "django-secret")
DATA_ENCRYPTION_KEY = os.environ.get("FRONTLINE_DATA_KEY") or key_in(KEYS_DIR, "data-encryption")

DEBUG = False
ALLOWED_HOSTS = os.environ.get("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]").split(",")

INSTALLED_APPS = [
    "deploy",
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django_htmx",
    "channels",
    "rest_framework",
    "sentinel",
    "grand_central",
    "nexus",
    "intelligence",
    "orchestration",
    "interaction",
    "apps.customer",
    "apps.workspace",
    "apps.console",
    "apps.studio",
    "apps.api",
]

MIDDLEWARE = [
    "deploy.tracing.trace_requests",
    "django.middleware.security.SecurityMiddleware",
    "servestatic.middleware.ServeStaticMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "interaction.middleware.LegalEntityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "deploy.urls"
ASGI_APPLICATION = "deploy.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "interaction.screens.bank",
            ],
        },
    },
]


def _socket() -> str:
    """Return the folder of the embedded PostgreSQL's socket."""
    note = socket_note()
    named = os.environ.get("FRONTLINE_SOCKET")
    return named or (note.read_text().strip() if note.exists() else str(home() / "postgres"))


SOCKET = _socket()
DATABASES = databases(os.environ, SOCKET)
DATABASE_ADMINISTRATOR = administrator(os.environ, SOCKET)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "interaction.User"
AUTHENTICATION_BACKENDS = ["interaction.identity.EntityBackend"]
SIGN_IN_FILE = FRONTLINE_HOME / "sign-in.json"
SAMPLE_INVOICE_FILE = FRONTLINE_HOME / "sample-invoice.pdf"
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
LOGIN_URL = "/sign-in/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/sign-in/"
if find_spec("apps.customer.front.views"):
    CSRF_FAILURE_VIEW = "apps.customer.front.views.stale_form"

SESSION_COOKIE_AGE = 8 * 60 * 60
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF, "data:"],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    },
}
# Read by the templates into <meta name="htmx-config">: no eval, no inline styles or scripts.
HTMX_CONFIG = {
    "allowEval": False,
    "includeIndicatorStyles": False,
    "selfRequestsOnly": True,
    "allowScriptTags": False,
    "historyCacheSize": 0,
}

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
# The zone of the bank's pages, and of the hour a payment is made at.
DISPLAY_TIME_ZONE = os.environ.get("FRONTLINE_TIME_ZONE", "Europe/Amsterdam")
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = FRONTLINE_HOME / "static"
STATICFILES_DIRS: list[Path] = [SOURCE / "static"] if (SOURCE / "static").is_dir() else []
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
SERVESTATIC_USE_FINDERS = True
MEDIA_ROOT = FRONTLINE_HOME / "media"
# Where the witness drops the checkpoints it cosigned.
FRONTLINE_WITNESS_DIR = FRONTLINE_HOME / "witness"
# Witnesses elsewhere: "URL VKEY", parted by semicolons; `python -m deploy.witness` is one.
FRONTLINE_WITNESSES = os.environ.get("FRONTLINE_WITNESSES", "")

# A chat message may hold a megabyte, a document ten; anything larger is refused unread.
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

CHANNEL_LAYERS = channel_layers(os.environ)

CELERY_BROKER_URL = broker_url(os.environ)
CELERY_BROKER_TRANSPORT_OPTIONS = broker_options(CELERY_BROKER_URL, DATABASES["default"])
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# Each connection to PostgreSQL's queue holds a pool of its own.
CELERY_BROKER_POOL_LIMIT = 2
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_DEFAULT_QUEUE = "frontline"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_TIMEZONE = "UTC"

# Each loop: a door function called without arguments, and the seconds between two calls.
TICK_LOOPS = {
    "delivery": ("interaction.public.run_delivery_once", 0.25),
    "expiry": ("sentinel.public.expire_tokens_once", 5.0),
    "hold timeouts": ("grand_central.public.resolve_hold_timeouts_once", 5.0),
    "business day": ("grand_central.public.open_business_day_once", 60.0),
    # Reads every transfer there is.
    "books": ("grand_central.public.prove_books_once", 900.0),
    "reconciler": ("grand_central.public.reconcile_once", 10.0),
    # Asks systems outside what became of the calls whose answer was lost.
    "lost answers": ("grand_central.public.ask_outside_once", 2.0),
    # The partitions of the evidence log for the months to come.
    "log months": ("sentinel.public.open_months_once", 3600.0),
    "sequencer": ("sentinel.public.run_sequencer_once", 1.0),
    "witness": ("sentinel.public.run_witness_once", 30.0),
}
# These are called once for each legal entity, within it.
TICK_LOOPS_BY_ENTITY = {
    # Makes the calls that flows have asked for.
    "effects": ("orchestration.public.carry_effects_here", 0.5),
    # Timers, retries, and whatever a lost message left behind.
    "flows": ("orchestration.public.run_due_here", 0.5),
    # Rebuilds a part of the running work from its history: 100 instances an hour.
    "histories": ("orchestration.public.prove_histories_once", 3600.0),
    "ingest": ("nexus.public.ingest_once", 0.25),
    # Tells people of work that presses.
    "notices": ("orchestration.public.notify_once", 1.0),
    # What starts flows from outside.
    "schedules": ("orchestration.public.run_schedules_once", 1.0),
    # Measures how far the log is behind, and alarms when that stops actions of high risk.
    "evidence log": ("sentinel.public.watch_log_once", 10.0),
    # Goes on trying proposed rules on what was decided meanwhile, some decisions at a time.
    "shadow runs": ("sentinel.public.follow_shadows_once", 30.0),
    # Once a day: tokens, executions and the cores' statements, compared both ways.
    "reconciliation": ("deploy.reconciliation.reconcile_nightly", 300.0),
    # Sends the newest checkpoint to the witnesses elsewhere.
    "outside witnesses": ("sentinel.public.ask_witnesses_once", 30.0),
    "data changes": ("orchestration.public.follow_changes_once", 0.5),
    "mail": ("orchestration.public.take_mail_once", 2.0),
    "files": ("orchestration.public.take_files_once", 2.0),
    "batches": ("orchestration.public.run_batches_once", 0.5),
    # Goes on with plans a step of which ended while the customer was away.
    "plans": ("orchestration.public.follow_plans_once", 1.0),
}

# Where files and e-mail for this bank are put: one folder for each legal entity.
FILES_DROP = FRONTLINE_HOME / "drop"
MAIL_DROP = FRONTLINE_HOME / "mail"
# How long a process may hold an effect that another system keeps, before another goes on with it.
EFFECT_LEASE_SECONDS = int(os.environ.get("EFFECT_LEASE_SECONDS", "60"))
# How many calls of one sort (reads and models of branches; effects of other systems) a process
# makes at once, each with a connection of its own.
CALLS_AT_ONCE = max(1, int(os.environ.get("CALLS_AT_ONCE", "8")))
# How long after its process died a read or a model of a branch is asked again by another.
CALL_LEASE_SECONDS = float(os.environ.get("CALL_LEASE_SECONDS", "30"))
# How long after a restore what feeds, programs and files begin may have come before it already.
RESTORE_REPLAY_HOURS = int(os.environ.get("RESTORE_REPLAY_HOURS", "72"))
# The company that answers for cards at every till; `manage.py up` starts a simulator of it.
CARD_PROCESSOR_URL = os.environ.get("CARD_PROCESSOR_URL", "")
CARD_PROCESSOR_KEY = os.environ.get("CARD_PROCESSOR_KEY", "")
CARD_PROCESSOR_DEADLINE_SECONDS = float(os.environ.get("CARD_PROCESSOR_DEADLINE_SECONDS", "5"))
# How long the processor takes a request, and how long after that what it did not find is not done.
CARD_PROCESSOR_VALID_SECONDS = int(os.environ.get("CARD_PROCESSOR_VALID_SECONDS", "20"))
CARD_PROCESSOR_FINALITY_SECONDS = float(os.environ.get("CARD_PROCESSOR_FINALITY_SECONDS", "30"))

LOGGING = logging_settings(os.environ.get("LOG_LEVEL", "INFO"))
LOGGING_CONFIG = "deploy.logs.configure"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "UNAUTHENTICATED_USER": None,
}

# What the bank does: one folder each, with its drawing, rules, policy and wording.
JOURNEYS = sorted(path.parent for path in (SOURCE / "apps/journeys").glob("*/journey.json"))
# Which postings of the cores are rightly not ours.
EXPECTED_ORIGINS_FILE = SOURCE / "grand_central/expected_origins.json"
# Which roles of the bank read which work and which customers.
READERS_FILE = SOURCE / "apps/journeys/readers.json"
