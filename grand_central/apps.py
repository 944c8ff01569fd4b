from django.apps import AppConfig

from grand_central.operations.catalogue import OPERATIONS, OUTSIDE_PROGRAMS
from sentinel.public import register_action


class Config(AppConfig):
    name = "grand_central"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        for entry in (*OPERATIONS, *OUTSIDE_PROGRAMS):
            register_action(entry=entry)
