from django.apps import AppConfig


class Config(AppConfig):
    name = "intelligence"
    default_auto_field = "django.db.models.BigAutoField"
