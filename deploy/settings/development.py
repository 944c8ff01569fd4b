"""Settings for one machine: `make run`."""

from deploy.settings.base import *
from deploy.settings.database import pooled

DATABASES["default"] = pooled(DATABASES["default"], size_max=24)

# The sample bank's simulators (the phone that shows second factors) are only ever part of it here.
FRONTLINE_SAMPLE_BANK = True
