"""The media bucket in S3: streams in and out with memory that does not grow with the media.

S3 checks every part by its CRC-32; nothing else is hashed, because that costs more than the transfer.
"""

import base64
import zlib
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from botocore.exceptions import ClientError

from publisher.aws.calls import aws_call
from publisher.domain.errors import PublisherError, ServiceUnavailable
from publisher.domain.limits import MIB, PART_BYTES
from publisher.ports import Reader, Source, StoredMedia
from publisher.ranges import seekable

_PIECE_BYTES = MIB
"""Of an object, read in one go: larger pieces are no cheaper, smaller ones cost more."""


class S3MediaStore:
    """The port MediaStore. `client` is a boto3 client of S3, made by `clients.client`."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def store(self, key: str, source: Source, content_type: str, progress: Callable[[int], None]) -> StoredMedia:
        """Stream a source into one object; `progress` is told the bytes stored so far. Nothing stays when it fails."""
        buffer = bytearray(PART_BYTES)
        filled = source.readinto(memoryview(buffer))
        try:
            if filled < len(buffer):
                media = self._store_whole(key, _cut(buffer, filled), content_type)
                progress(media.size)
                return media
            return _Upload(self._client, self._bucket, key).run(buffer, source, content_type, progress)
        except BaseException as error:
            # A write may have been applied although its answer did not come.
            try:
                self.delete([key])
            except PublisherError:
                error.add_note("What was stored could not be removed; the bucket's lifecycle rule does it.")
            raise

    def put(self, key: str, file: Path, content_type: str) -> None:
        """Store a small file as one object. Safe to repeat."""
        self._store_whole(key, file.read_bytes(), content_type)

    def _store_whole(self, key: str, body: bytes | bytearray, content_type: str) -> StoredMedia:
        with aws_call("S3"):
            answer = self._client.put_object(
                Bucket=self._bucket, Key=key, Body=body, ContentType=content_type, ChecksumCRC32=_checksum(body)
            )
        return StoredMedia(key=key, etag=answer["ETag"], size=len(body))

    @contextmanager
    def read(self, media: StoredMedia, first: int) -> Iterator[Reader]:
        """Read an object from byte `first` on, in one request; ServiceUnavailable when its bytes have changed."""
        with closing(self._part(media, first, media.size - 1)) as body:
            yield Body(body)

    @contextmanager
    def seekable(self, media: StoredMedia) -> Iterator[BinaryIO]:
        """Open an object for reading here and there, each time at least 1 MiB in one request."""
        with object_file(self._part, media) as file:
            yield file

    def download(self, key: str, file: Path) -> None:
        """Copy an object into a file; ServiceUnavailable when there is none. Safe to repeat."""
        body = self._find(key)
        if body is None:
            raise ServiceUnavailable("The stored media is gone.", "Send the post again.")
        piece = memoryview(bytearray(_PIECE_BYTES))
        with closing(body), file.open("wb") as copy:
            reader = Body(body)
            while filled := reader.readinto(piece):
                copy.write(piece[:filled])

    def get(self, key: str) -> bytes | None:
        """Return a small object; None when there is none."""
        body = self._find(key)
        if body is None:
            return None
        with closing(body), aws_call("S3"):
            data: bytes = body.read()
        return data

    def delete(self, keys: Collection[str]) -> None:
        """Remove at most a thousand objects; no error for those that are not there. Safe to repeat."""
        if not keys:
            return
        with aws_call("S3"):
            answer = self._client.delete_objects(
                Bucket=self._bucket, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True}
            )
        refused = answer.get("Errors", [])
        if refused:
            raise ServiceUnavailable(
                f"S3 did not delete {len(refused)} of {len(keys)} objects ({refused[0].get('Code', 'unknown')}).",
                "Try again in a moment.",
            )

    def _find(self, key: str) -> Any:
        """Return the body of an object; None when there is none."""
        try:
            # S3 tells whoever may not list the bucket that what is missing is denied.
            with aws_call("S3", "NoSuchKey", "AccessDenied"):
                return self._client.get_object(Bucket=self._bucket, Key=key)["Body"]
        except ClientError:
            return None

    def _part(self, media: StoredMedia, first: int, last: int) -> Any:
        """Return the body of bytes `first` to `last`."""
        try:
            with aws_call("S3", "PreconditionFailed"):
                answer = self._client.get_object(
                    Bucket=self._bucket, Key=media.key, Range=f"bytes={first}-{last}", IfMatch=media.etag
                )
        except ClientError:
            raise ServiceUnavailable("The stored media has changed.", "Send the post again.") from None
        return answer["Body"]


def object_file(get: Callable[[StoredMedia, int, int], Any], media: StoredMedia) -> BinaryIO:
    """Return an object as a file that can seek; `get` returns the body of the bytes from one to another."""

    def read_at(first: int, buffer: memoryview) -> int:
        with closing(get(media, first, first + len(buffer) - 1)) as body:
            return Body(body).readinto(buffer)

    return seekable(media.size, read_at)


class _Upload:
    """One multipart upload: while a part is sent, the next one is read into the other of two buffers."""

    def __init__(self, client: Any, bucket: str, key: str) -> None:
        self._client = client
        self._object = {"Bucket": bucket, "Key": key}
        self._parts: list[dict[str, Any]] = []

    def run(self, buffer: bytearray, source: Source, content_type: str, progress: Callable[[int], None]) -> StoredMedia:
        """Store `buffer`, then the rest of the source."""
        with aws_call("S3"):
            begun = self._client.create_multipart_upload(
                **self._object, ContentType=content_type, ChecksumAlgorithm="CRC32"
            )
        self._object["UploadId"] = begun["UploadId"]
        try:
            size = self._send_all(buffer, source, progress)
            return StoredMedia(key=self._object["Key"], etag=self._complete(size), size=size)
        except BaseException as error:
            try:
                with aws_call("S3", "NoSuchUpload"):
                    self._client.abort_multipart_upload(**self._object)
            except ClientError:
                error.add_note("S3 had completed the upload.")
            except PublisherError:
                error.add_note("The upload could not be removed; the bucket's lifecycle rule does it.")
            raise

    def _send_all(self, buffer: bytearray, source: Source, progress: Callable[[int], None]) -> int:
        """Send the full `buffer` and all that follows; return the size. No part is under way when this ends."""
        size, spare = 0, bytearray(PART_BYTES)
        with ThreadPoolExecutor(max_workers=1) as sender:
            while buffer:
                sending: Future[None] = sender.submit(self._send, buffer)
                filled = source.readinto(memoryview(spare))
                sending.result()
                size += len(buffer)
                progress(size)
                buffer, spare = _cut(spare, filled), buffer
        return size

    def _send(self, part: bytearray) -> None:
        number, checksum = len(self._parts) + 1, _checksum(part)
        with aws_call("S3"):
            answer = self._client.upload_part(**self._object, PartNumber=number, Body=part, ChecksumCRC32=checksum)
        self._parts.append({"PartNumber": number, "ETag": answer["ETag"], "ChecksumCRC32": checksum})

    def _complete(self, size: int) -> str:
        """Make the parts one object and return its ETag, also when an earlier try of this call has done so."""
        try:
            with aws_call("S3", "NoSuchUpload"):
                answer = self._client.complete_multipart_upload(**self._object, MultipartUpload={"Parts": self._parts})
        except ClientError:
            with aws_call("S3"):
                answer = self._client.head_object(Bucket=self._object["Bucket"], Key=self._object["Key"])
            if answer["ContentLength"] != size:
                raise ServiceUnavailable("S3 did not keep the media whole.", "Try again in a moment.") from None
        return str(answer["ETag"])


class Body:
    """Reads a body into buffers in pieces, so that no second copy of a buffer comes about."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def readinto(self, buffer: memoryview) -> int:
        """Fill the buffer unless the body ends before."""
        filled = 0
        with aws_call("S3"):
            while filled < len(buffer):
                got: int = self._body.readinto(buffer[filled : filled + _PIECE_BYTES])
                if not got:
                    break
                filled += got
        return filled


def _cut(buffer: bytearray, length: int) -> bytearray:
    """Shorten a buffer in place."""
    del buffer[length:]
    return buffer


def _checksum(body: bytes | bytearray) -> str:
    return base64.b64encode(zlib.crc32(body).to_bytes(4)).decode()
