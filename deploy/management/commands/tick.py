"""`manage.py tick`: the periodic loops, alone. Several may run; each loop works in one of them."""

import signal
import threading
from types import FrameType

from django.core.management.base import BaseCommand

from deploy.safekeeping.unfinished import require_settled
from deploy.ticking import configured_loops, run_all


class Command(BaseCommand):
    help = "Run the periodic loops: sequencer, relay, timers, sweeper, reconciler."
    requires_system_checks = ()

    def handle(self, **_options: object) -> None:
        require_settled()
        stopping = threading.Event()

        def stop_soon(_number: int, _frame: FrameType | None) -> None:
            stopping.set()

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, stop_soon)
        loops = configured_loops(stopping)
        self.stdout.write(f"loops: {', '.join(loop.name for loop in loops) or 'none'}")
        self.stdout.flush()
        run_all(loops, stopping)
