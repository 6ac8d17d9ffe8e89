"""Look at the media of a post where it lies, reading only what is needed, so that a check need not download it."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

from publisher.domain.errors import InternalServerError, PublisherError, Timeout
from publisher.domain.limits import LOOK_BYTES, PICTURE_BYTES, PICTURES_AT_ONCE, VIDEO_BYTES
from publisher.domain.media import known_kind
from publisher.domain.pictures import picture_too_large, video_among_pictures
from publisher.domain.rules import of_item
from publisher.domain.uploads import upload_named
from publisher.ports import Ports, ProbedMedia, RemoteFile, SecondsLeft, TooMuchToRead


def probe_media(event: dict[str, Any], ports: Ports, _seconds_left: SecondsLeft) -> dict[str, Any]:
    """Answer {"workspaceId": …, "mediaUrls": […], "seconds": …} with {"media": […]}, one for each URL.

    In the place of a URL that is not to be looked at stands null.
    """
    looks = _Looks(ports, event["workspaceId"], event["mediaUrls"], ports.clock.now() + event["seconds"])
    return {"media": [media.model_dump(mode="json") for media in looks.all()]}


class _Looks(NamedTuple):
    """Looks at the media of one post, which end at an epoch second."""

    ports: Ports
    workspace_id: str
    media_urls: Sequence[str | None]
    until: float

    def all(self) -> Iterator[ProbedMedia]:
        with ThreadPoolExecutor(max_workers=int(PICTURES_AT_ONCE)) as lookers:
            yield from lookers.map(self._one, range(1, len(self.media_urls) + 1), self.media_urls)

    def _one(self, number: int, url: str | None) -> ProbedMedia:
        if url is None:
            return ProbedMedia()
        try:
            with self._open(url) as file:
                return self._seen(file)
        except InternalServerError:
            raise
        except PublisherError as problem:
            if self._left() <= 0:
                return ProbedMedia(unread=_TOO_SLOW)
            return ProbedMedia(failure=of_item(problem, number, len(self.media_urls)).failure())

    def _left(self) -> float:
        return self.until - self.ports.clock.now()

    def _open(self, url: str) -> AbstractContextManager[RemoteFile]:
        if self._left() <= 0:
            raise Timeout("There was no time to look at it.", "Ask about fewer at once.")
        upload = upload_named(url)
        if upload is not None:
            return self.ports.uploads.look(self.workspace_id, upload)
        return self.ports.fetcher.look(url, max_bytes=int(VIDEO_BYTES), most=int(LOOK_BYTES), seconds=self._left())

    def _seen(self, remote: RemoteFile) -> ProbedMedia:
        """Look into the file as far as that tells more than its first bytes."""
        kind = known_kind(remote.head)
        if kind.is_video and len(self.media_urls) > 1:
            raise video_among_pictures()
        if not kind.is_video and (remote.size or 0) > PICTURE_BYTES:
            raise picture_too_large()
        try:
            file = remote.file()
            size = remote.size or 0
            if kind.is_video:
                video = self.ports.prober.video(file, size, self._left())
                return ProbedMedia(content_type=kind, size=size, video=video)
            picture = self.ports.prober.picture(file, size, self._left())
            return ProbedMedia(content_type=kind, size=size, picture=picture)
        except TooMuchToRead:
            return ProbedMedia(content_type=kind, size=remote.size, unread=_TOO_MUCH)


_TOO_MUCH = "most of the file would have to be read to tell more, as its server sends no parts of it or it is streamed"
_TOO_SLOW = "its server is slow"
