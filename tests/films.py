"""Tiny films of every kind, made when they are first asked for."""

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import av
from av.container import OutputContainer


@cache
def film(
    container: str = "mp4",
    codec: str = "libx264",
    *,
    rate: Fraction | int = 30,
    frames: int = 30,
    size: tuple[int, int] = (360, 640),
    options: str = "",
    times: Callable[[int], int] | None = None,
) -> bytes:
    """Return a film of plain grey frames.

    `container` and `options` are the muxer's, options as "name=value"; `times` gives the millisecond of each frame, for
    a rate that varies.
    """

    def write(output: OutputContainer) -> None:
        stream = output.add_stream(codec, rate=rate)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.options = (
            {"preset": "ultrafast"} if codec.startswith("libx26") else {"deadline": "realtime", "cpu-used": "8"}
        )
        if times:
            stream.codec_context.time_base = Fraction(1, 1000)
        frame = av.VideoFrame(*size, "yuv420p")
        for plane in frame.planes:
            plane.update(bytes([128]) * plane.buffer_size)
        for number in range(frames):
            frame.pts = times(number) if times else number
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))

    return _made(container, options, write)


@cache
def sound() -> bytes:
    """Return an MP4 that holds only sound."""

    def write(output: OutputContainer) -> None:
        stream = output.add_stream("aac", rate=44100)
        assert isinstance(stream, av.AudioStream)
        frame = av.AudioFrame(format="fltp", layout="mono", samples=1024)
        frame.sample_rate = 44100
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        for number in range(20):
            frame.pts = number * 1024
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))

    return _made("mp4", "", write)


def _made(container: str, options: str, write: Callable[[OutputContainer], None]) -> bytes:
    name, _, value = options.partition("=")
    with TemporaryDirectory() as folder:
        # A real file, because an index can be moved to the front only where the muxer can read back.
        path = Path(folder, "film")
        with av.open(path, "w", format=container, options={name: value} if options else {}) as output:
            write(output)
        return path.read_bytes()
