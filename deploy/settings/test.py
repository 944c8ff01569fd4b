"""Settings for the test suite: no pool, so that a test can drop its database."""

from django.contrib.auth.hashers import Argon2PasswordHasher

from deploy.benches.daytime import zone_at_noon
from deploy.settings.base import *

FRONTLINE_SAMPLE_BANK = True

# No sequencer runs beside a test, so the log is always behind; the tests of the lag set their own.
SENTINEL_LOG_LAG_SECONDS_MAX = 86_400
# Tests move the moment they ask at, by days; those of the clock set their own.
SENTINEL_CLOCK_SECONDS_MAX = 100 * 86_400

# The fraud model counts the hour a payment is made at: no test may depend on the time of day.
DISPLAY_TIME_ZONE = zone_at_noon()


class QuickArgon2(Argon2PasswordHasher):
    """The bank's own kind of password hash at a hundredth of its price; nobody attacks a test."""

    time_cost = 1
    memory_cost = 1024
    parallelism = 1


PASSWORD_HASHERS = [f"{__name__}.{QuickArgon2.__name__}"]
