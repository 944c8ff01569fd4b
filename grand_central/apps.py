from django.apps import AppConfig


class Config(AppConfig):
    name = "grand_central"
    default_auto_field = "django.db.models.BigAutoField"
