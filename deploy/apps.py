from django.apps import AppConfig

from deploy import worker


class Config(AppConfig):
    name = "deploy"

    def ready(self) -> None:
        # Tasks are sent from any thread of any process, which must all find our broker.
        worker.app.set_default()
