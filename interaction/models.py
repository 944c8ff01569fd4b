"""What Interaction keeps: who may sign in, what was said, and how far the news was delivered."""

from typing import ClassVar
from uuid import uuid4

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models
from django.db.models import Func, Q

CUSTOMER, EMPLOYEE, ASSISTANT = "customer", "employee", "assistant"


def _entity() -> "models.TextField[str, str]":
    """Return the column of the legal entity; the database fills it from the session setting."""
    return models.TextField(
        db_default=Func(function="frontline_entity", output_field=models.TextField()),
        editable=False,
        db_collation="C",
    )


class User(AbstractBaseUser):
    """A person who may sign in: a customer or an employee of one legal entity."""

    # Unique by itself, as Django wants it; people type `username`, which is unique per entity.
    USERNAME_FIELD = "id"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    entity = _entity()
    username = models.TextField(db_collation="C")
    display_name = models.TextField()
    person_id = models.UUIDField()
    principal_kind = models.TextField(choices=[(CUSTOMER, "Customer"), (EMPLOYEE, "Employee")])
    customer_id = models.UUIDField(null=True)
    roles = models.JSONField(default=list)
    is_active = models.BooleanField(default=True)

    class Meta:
        db_table = "interaction_user"
        constraints = (
            models.UniqueConstraint(
                fields=["entity", "username"], name="interaction_user_name_once"
            ),
            models.CheckConstraint(
                condition=Q(principal_kind=CUSTOMER, customer_id__isnull=False)
                | Q(principal_kind=EMPLOYEE, customer_id__isnull=True),
                name="interaction_user_customer_or_employee",
            ),
        )

    def __str__(self) -> str:
        return f"user {self.id}"


class SignInAttempt(models.Model):
    """One attempt to sign in; names and addresses are kept as keyed digests only."""

    id = models.BigAutoField(primary_key=True)
    entity = _entity()
    name_digest = models.TextField(db_collation="C")
    address_digest = models.TextField(db_collation="C")
    is_success = models.BooleanField()
    attempted_at = models.DateTimeField()

    class Meta:
        db_table = "interaction_sign_in_attempt"
        indexes = (
            models.Index(
                fields=["entity", "name_digest", "attempted_at"], name="interaction_attempt_name"
            ),
            models.Index(
                fields=["entity", "address_digest", "attempted_at"], name="interaction_attempt_addr"
            ),
        )

    def __str__(self) -> str:
        return f"sign-in attempt {self.id}"


class Conversation(models.Model):
    """A customer's conversation with the bank, on whatever channel it is held."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    entity = _entity()
    customer_id = models.UUIDField()
    channel = models.TextField(db_collation="C")
    opened_at = models.DateTimeField()

    class Meta:
        db_table = "interaction_conversation"
        indexes = (
            models.Index(
                fields=["entity", "customer_id", "opened_at"], name="interaction_conversation_who"
            ),
        )

    def __str__(self) -> str:
        return f"conversation {self.id}"


class Turn(models.Model):
    """One thing said in a conversation; the words are sealed with the customer's key."""

    position = models.BigAutoField(primary_key=True)
    id = models.UUIDField(unique=True, default=uuid4, editable=False)
    entity = _entity()
    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, related_name="turns")
    author = models.TextField(
        choices=[(CUSTOMER, "Customer"), (ASSISTANT, "Assistant"), (EMPLOYEE, "Employee")]
    )
    sealed = models.BinaryField()
    card_ids = models.JSONField(default=list)
    case_id = models.UUIDField(null=True)
    # The feed position a screen must have reached to show what this turn says was done.
    reached = models.TextField(default="", db_collation="C")
    # What makes a resent message the same message: the sender's id, or the event's cursor.
    sent_id = models.TextField(null=True, db_collation="C")  # noqa: DJ001 - NULL: need not be unique
    said_at = models.DateTimeField()

    class Meta:
        db_table = "interaction_turn"
        constraints = (
            models.UniqueConstraint(
                fields=["entity", "conversation", "author", "sent_id"],
                name="interaction_turn_sent_once",
            ),
        )
        indexes = (
            models.Index(
                fields=["entity", "conversation", "position"], name="interaction_turn_order"
            ),
        )

    def __str__(self) -> str:
        return f"turn {self.position}"


class DeliveryCursor(models.Model):
    """How far one feed was delivered to open screens, for one legal entity."""

    id = models.BigAutoField(primary_key=True)
    entity = _entity()
    feed = models.TextField(db_collation="C")
    cursor = models.TextField(db_collation="C", default="")

    class Meta:
        db_table = "interaction_delivery_cursor"
        constraints = (
            models.UniqueConstraint(fields=["entity", "feed"], name="interaction_cursor_once"),
        )

    def __str__(self) -> str:
        return f"cursor of {self.feed}"
