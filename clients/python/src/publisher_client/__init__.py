"""Client of an open TikTok publishing service.

```python
from pathlib import Path
from publisher_client import Client, Options

client = Client("https://api.example.com", "tkp_live_…")
upload = client.upload(Path("rabbit.mp4"))
post = client.publish("967364f2-…", [upload.media_url], "A rabbit", Options(privacy_level="SELF_ONLY"))
print(client.wait(post.post_submission_id).public_url)
```
"""

from publisher_client.client import Client
from publisher_client.errors import (
    NotSignedIn,
    PublisherApiError,
    PublisherError,
    StillUnderWay,
    UnexpectedAnswer,
    Unreachable,
)
from publisher_client.models import Account, Options, Post, PostAnswer, Upload, Validation

__version__ = "0.1.0"
__all__ = [
    "Account",
    "Client",
    "NotSignedIn",
    "Options",
    "Post",
    "PostAnswer",
    "PublisherApiError",
    "PublisherError",
    "StillUnderWay",
    "UnexpectedAnswer",
    "Unreachable",
    "Upload",
    "Validation",
]
