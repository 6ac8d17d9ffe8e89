"""Look at a post's media where it lies, for the function that checks posts, which has secrets."""

from publisher.event import react
from publisher.use_cases.probe_media import probe_media

handler = react(probe_media)
