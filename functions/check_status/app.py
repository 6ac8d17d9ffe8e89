"""Step CheckStatus: asks TikTok what became of a post."""

from publisher.step import step
from publisher.use_cases.check_status import check_status

handler = step(check_status)
