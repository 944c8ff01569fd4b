from django.apps import AppConfig

from sentinel.governing import register_own_actions


class Config(AppConfig):
    name = "sentinel"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        register_own_actions()
