from django.apps import AppConfig


class Config(AppConfig):
    name = "sentinel"
    default_auto_field = "django.db.models.BigAutoField"
