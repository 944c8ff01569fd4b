"""Settings for servers."""

from deploy.settings.base import *

DEBUG = False
