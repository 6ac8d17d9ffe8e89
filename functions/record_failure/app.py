"""Step RecordFailure: writes why a post ended."""

from publisher.step import step
from publisher.use_cases.record_failure import record_failure

handler = step(record_failure)
