"""Settings for one machine: `make run`."""

from deploy.settings.base import *

DEBUG = False
