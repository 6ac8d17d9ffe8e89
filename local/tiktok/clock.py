"""The sandbox's clock: real time, moved or stopped at will."""

import time
from datetime import UTC, datetime

from pydantic import BaseModel

# Ids hold the seconds in 31 bits and have 19 digits.
EARLIEST = 1_000_000_000
LATEST = 2**31 - 1


class Clock(BaseModel):
    """Unix seconds with a fraction. `offset` is added to real time; `frozen_at` replaces it."""

    offset: float = 0.0
    frozen_at: float | None = None

    def now(self) -> float:
        """Tell the sandbox's time in Unix seconds."""
        return time.time() + self.offset if self.frozen_at is None else self.frozen_at

    @staticmethod
    def real() -> float:
        """Tell the machine's time in Unix seconds, wherever the sandbox's clock has been moved to."""
        return time.time()

    def move_to(self, moment: float) -> None:
        """Make it `moment` (Unix seconds) now; a frozen clock stays frozen."""
        if self.frozen_at is None:
            self.offset = moment - time.time()
        else:
            self.frozen_at = moment

    def freeze(self, frozen: bool) -> None:
        """Stop the clock, or let it go on from where it stands."""
        moment = self.now()
        self.frozen_at = moment if frozen else None
        self.offset = moment - time.time()


def timestamp(moment: float) -> str:
    """Fourteen digits of UTC, as a log id begins: 20261122103000."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y%m%d%H%M%S")
