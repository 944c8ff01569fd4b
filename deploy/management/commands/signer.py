"""`manage.py signer`: the process that alone reads the keys of decision tokens, and signs them."""

import signal
import threading
from pathlib import Path
from types import FrameType

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from sentinel.public import KeyRefused, SignerServer, Signing


class Command(BaseCommand):
    help = "Sign decision tokens for legal entities, at a socket only this user can open."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("entities", nargs="+", help="the legal entities to sign for")
        parser.add_argument("--keys", type=Path, required=True, help="a folder nobody else reads")
        parser.add_argument("--socket", type=Path, default=Path(settings.SENTINEL_SIGNER_SOCKET))

    def handle(self, *, entities: list[str], keys: Path, socket: Path, **_options: object) -> None:
        keys.mkdir(mode=0o700, parents=True, exist_ok=True)
        if keys.stat().st_mode & 0o077:
            raise CommandError(f"Others can read {keys}: make it 0700.")
        try:
            server = SignerServer(socket, Signing(keys, entities))
        except KeyRefused as refused:
            raise CommandError(refused.reason) from refused

        def stop_soon(_number: int, _frame: FrameType | None) -> None:
            # The loop itself runs in this thread, so that somebody else must end it.
            threading.Thread(target=server.shutdown).start()

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, stop_soon)
        self.stdout.write(f"signing for {', '.join(entities)} at {socket}")
        self.stdout.flush()
        with server:
            server.serve_forever()
        socket.unlink(missing_ok=True)
