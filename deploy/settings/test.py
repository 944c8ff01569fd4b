"""Settings for the test suite."""

from deploy.settings.base import *

DEBUG = False
