"""Step ConvertPhotos: make JPEGs that TikTok takes of the pictures."""

import uuid
from pathlib import Path
from tempfile import TemporaryDirectory

from publisher.domain.errors import Busy, RequestInvalid
from publisher.domain.posts import Pictures, Post, begin_conversion, converted
from publisher.domain.rules import of_item
from publisher.domain.sniffing import Kind
from publisher.messages import StepInput, StepOutput
from publisher.ports import Ports, SecondsLeft
from publisher.use_cases.load_post import load_post


def convert_photos(request: StepInput, ports: Ports, _seconds_left: SecondsLeft) -> StepOutput:
    """Record the converted pictures and let go of those that were fetched; a post that has them keeps them.

    InvalidMediaType or MediaTooLarge, naming the picture, ends the post. JPEGs that are certainly not recorded are
    deleted; those that may be are left to the bucket's lifecycle.
    """
    post = load_post(ports, request.post_id)
    fetched = post.pictures
    if not post.terminal and fetched is not None and not fetched.converted:
        post = ports.posts.save(begin_conversion(post, ports.clock.now()))
        _record(ports, post, fetched)
    return StepOutput(next="InitializePost")


def _record(ports: Ports, post: Post, fetched: Pictures) -> None:
    # A folder of its own keeps two workers from writing the same object.
    folder = f"staging/{post.post_id}/{uuid.uuid4().hex}"
    pictures = Pictures(folder=folder, count=fetched.count, size=0, converted=True)
    try:
        size, warnings = _convert(ports, fetched, pictures)
    except Exception:
        ports.media.delete(pictures.keys)
        raise
    sized = pictures.model_copy(update={"size": size})
    try:
        ports.posts.save(converted(post, sized, warnings, ports.clock.now()))
    except Busy:  # after any other error the write may have been done
        ports.media.delete(pictures.keys)
        raise
    ports.media.delete(fetched.keys)


def _convert(ports: Ports, fetched: Pictures, pictures: Pictures) -> tuple[int, list[str]]:
    """Convert one picture after the other; return the bytes of all, and what an animation lost."""
    size, warnings = 0, []
    with TemporaryDirectory() as folder, ports.converter.converting() as convert:
        source, target = Path(folder, "source"), Path(folder, "target")
        for number, (key, new_key) in enumerate(zip(fetched.keys, pictures.keys, strict=True), start=1):
            ports.media.download(key, source)
            try:
                picture = convert(source, target)
            except RequestInvalid as problem:
                raise of_item(problem, number, fetched.count) from None
            ports.media.put(new_key, target, Kind.JPEG)
            size += picture.size
            if picture.frames_dropped:
                warnings.append(_lost(number, fetched.count, picture.frames_dropped))
    return size, warnings


def _lost(number: int, count: int, frames: int) -> str:
    which = f"Picture {number} of {count}" if count > 1 else "The picture"
    return f"{which} is an animation; TikTok gets its first frame (frames_dropped: {frames})."
