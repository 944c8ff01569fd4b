from django.apps import AppConfig


class Config(AppConfig):
    name = "orchestration"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Imported here because models are not loaded before.
        from orchestration import act  # noqa: PLC0415
        from orchestration.durable import intervention_kinds, putting_right  # noqa: PLC0415
        from orchestration.operating import queues  # noqa: PLC0415
        from orchestration.versions import effects  # noqa: PLC0415
        from orchestration.versions.operations import OPERATIONS  # noqa: PLC0415
        from sentinel.public import register_action  # noqa: PLC0415

        for entries, executor in (
            (OPERATIONS, effects.execute),
            (intervention_kinds.ACTIONS, putting_right.carry_out),
            (queues.ACTIONS, queues.carry_out),
        ):
            for entry in entries:
                register_action(entry=entry)
            act.carried_out_by(kinds=(entry.kind for entry in entries), executor=executor)
