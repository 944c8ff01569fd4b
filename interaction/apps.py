from django.apps import AppConfig


class Config(AppConfig):
    name = "interaction"
    default_auto_field = "django.db.models.BigAutoField"
