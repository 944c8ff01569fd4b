#!/usr/bin/env python3
"""Run a management command for the bank."""

import os
import sys

from django.core.management import execute_from_command_line

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deploy.settings.development")

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
