"""Step InitializePost: opens an upload at TikTok."""

from publisher.step import step
from publisher.use_cases.initialize_post import initialize_post

handler = step(initialize_post)
