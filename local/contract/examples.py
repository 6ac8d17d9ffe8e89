"""Examples of the contract: the documented page's requests and answers."""

from typing import Any

_ACCOUNT = "3f0a8a0e-51cb-4f4e-8f65-6a1a3b0f9b10"


def _post(text: str, media_urls: list[str], **options: object) -> dict[str, Any]:
    post: dict[str, Any] = {
        "accountId": _ACCOUNT,
        "content": {"text": text, "mediaUrls": media_urls, "platform": "tiktok"},
    }
    if options:
        post["tiktokOptions"] = options
    return {"post": post}


_PHOTOS = [f"https://example.com/photo{number}.jpg" for number in (1, 2, 3)]
_VIDEO = ["https://example.com/video.mp4"]
_PUBLIC = {"privacyLevel": "PUBLIC_TO_EVERYONE", "allowComment": True}

POSTS: dict[str, Any] = {
    "photoCarousel": {
        "summary": "Photo carousel, public",
        "value": _post("Three pictures of one morning #photography", _PHOTOS),
    },
    "photoDraft": {
        "summary": "Photo draft, for the creator's inbox",
        "value": _post("A caption to edit in the app", _PHOTOS[:1], draft=True),
    },
    "publicVideo": {
        "summary": "Video, public, with comments, duet and stitch",
        "value": _post("What we saw today #tiktok", _VIDEO, **_PUBLIC, allowDuet=True, allowStitch=True),
    },
    "friendsVideo": {
        "summary": "Video for friends",
        "value": _post("For friends only", _VIDEO, privacyLevel="MUTUAL_FOLLOW_FRIENDS", allowComment=True),
    },
    "brandedContent": {
        "summary": "Branded content: a paid partnership",
        "value": _post("Made with a partner #ad", _VIDEO, **_PUBLIC, brandContentToggle=True),
    },
    "yourBrand": {
        "summary": "Your brand: promotional content",
        "value": _post("Our new course", _VIDEO, **_PUBLIC, allowDuet=True, allowStitch=True, brandOrganicToggle=True),
    },
}
"""The six examples of the documented page, in their order, with words of our own."""

ANSWERED: dict[str, Any] = {
    "success": True,
    "postSubmissionId": "ca5b8e50-9376-4fbb-b2fc-b619849e3574",
    "platform": "tiktok",
    "post_type": "video",
    "publish_id": "v_pub_file~v2-1.7577571164748499000",
    "status": "PUBLISH_COMPLETE",
    "message": "Post published successfully",
    "label": None,
    "consent": {
        "statement": "By posting, you agree to TikTok's Music Usage Confirmation",
        "links": [
            {
                "title": "Music Usage Confirmation",
                "url": "https://www.tiktok.com/legal/page/global/music-usage-confirmation/en",
            }
        ],
    },
    "warnings": [],
    "statusUrl": "/v2/posts/ca5b8e50-9376-4fbb-b2fc-b619849e3574",
    "requestId": "b7d1f0c2-3d52-4a38-9c61-0e3bb2f1c6aa",
}

FAILED: dict[str, Any] = {
    "success": False,
    "error": "Account is not a TikTok account",
    "code": "InvalidAccountId",
    "message": "GET /api/accounts lists the accounts of this workspace.",
    "platform": "tiktok",
    "retryable": False,
    "requestId": "b7d1f0c2-3d52-4a38-9c61-0e3bb2f1c6aa",
}

BULK_CSV = "accountId,text,mediaUrls,privacyLevel\n" + f"{_ACCOUNT},One of many,{_VIDEO[0]},SELF_ONLY\n"
