"""Settings for the test suite: no pool, so that a test can drop its database."""

from deploy.settings.base import *

FRONTLINE_SAMPLE_BANK = True
