"""How a video fares: plausible figures that follow from its id and its age alone, so that no restart changes them."""

import hashlib
import math
from typing import NamedTuple

from local.tiktok.rules import DAY_SECONDS

# All of these are our choice: TikTok publishes none of them. Ranges are (least, most); a video's id picks its own.
PLATEAU_POWERS = (2.3, 5.0)  # powers of ten: from 200 to 100 000 views in the end
PACE_DAYS = (0.5, 4.0)  # after this time 63 % of the views are there
LIKES_A_VIEW = (0.03, 0.12)
COMMENTS_A_VIEW = (0.002, 0.01)
SHARES_A_VIEW = (0.001, 0.02)
FOLLOWERS_A_VIEW = (0.0005, 0.005)


class Growth(NamedTuple):
    """What a video has brought up to now; nothing of it ever gets less."""

    views: int
    likes: int
    comments: int
    shares: int
    followers: int


def grown(video_id: int, age: float) -> Growth:
    """Figures of a video that is `age` seconds old: fast at first, then ever slower up to its plateau."""
    digest = hashlib.sha256(str(video_id).encode()).digest()

    def pick(number: int, least: float, most: float) -> float:
        return least + (most - least) * int.from_bytes(digest[4 * number : 4 * number + 4]) / 2**32

    plateau = 10 ** pick(0, *PLATEAU_POWERS)
    views = plateau * -math.expm1(-max(age, 0) / (pick(1, *PACE_DAYS) * DAY_SECONDS))
    return Growth(
        views=int(views),
        likes=int(views * pick(2, *LIKES_A_VIEW)),
        comments=int(views * pick(3, *COMMENTS_A_VIEW)),
        shares=int(views * pick(4, *SHARES_A_VIEW)),
        followers=int(views * pick(5, *FOLLOWERS_A_VIEW)),
    )
