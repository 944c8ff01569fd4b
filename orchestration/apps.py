from django.apps import AppConfig


class Config(AppConfig):
    name = "orchestration"
    default_auto_field = "django.db.models.BigAutoField"
