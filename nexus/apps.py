from django.apps import AppConfig


class Config(AppConfig):
    name = "nexus"
    default_auto_field = "django.db.models.BigAutoField"
