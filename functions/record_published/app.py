"""Step RecordPublished: writes that a post is published."""

from publisher.step import step
from publisher.use_cases.record_published import record_published

handler = step(record_published)
