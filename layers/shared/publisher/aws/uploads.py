"""Uploaded files in S3: multipart uploads whose parts customers bring themselves.

Beside each lies a small object that says what it is, so that nobody has to list the bucket to find it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from typing import Any, BinaryIO, NamedTuple
from urllib.parse import quote, urlsplit

from botocore.exceptions import ClientError

from publisher.aws.calls import aws_call
from publisher.aws.media_store import object_file
from publisher.aws.object_source import object_source
from publisher.domain.errors import Busy, MediaDownloadFailed
from publisher.domain.limits import PART_URL_SECONDS
from publisher.domain.uploads import Part, Upload, UploadName
from publisher.ports import Clock, ReceivedPart, Source, StoredMedia

_GONE = ("NoSuchKey", "AccessDenied")
"""S3 tells whoever may not list the bucket that what is missing is denied."""


class S3Uploads:
    """The port Uploads. `client` is a boto3 client of S3, made by `clients.client`."""

    def __init__(self, client: Any, bucket: str, clock: Clock) -> None:
        self._client = client
        self._bucket = bucket
        self._clock = clock

    @property
    def origin(self) -> str:
        """Return scheme, host and port of the addresses of parts."""
        return _origin(self._client, self._bucket)

    def begin(self, upload: Upload) -> Upload:
        """Open a new upload and return it with its handle; one that is left is removed by the bucket's lifecycle."""
        with aws_call("S3"):
            begun = self._client.create_multipart_upload(
                Bucket=self._bucket, Key=_key(upload), ContentType=upload.content_type, ChecksumAlgorithm="SHA256"
            )
        upload = upload.model_copy(update={"handle": begun["UploadId"]})
        self._describe(upload)
        return upload

    def find(self, workspace_id: str, upload_id: str) -> Upload | None:
        """Return an upload of a workspace as it stands, also a dropped one; None when there is none, or it expired."""
        answer = self._get(_key_of_description(workspace_id, upload_id))
        if answer is None:
            return None
        with closing(answer["Body"]) as body, aws_call("S3"):
            upload = Upload.model_validate_json(body.read())
        upload = upload.model_copy(update={"complete": self._is_whole(upload)})
        return upload if self._clock.now() < upload.expires_at else None

    def put(self, upload: Upload, data: bytes) -> Upload:
        """Store a small file whole, and return the upload as it is then. What is not described is found by nobody."""
        with aws_call("S3"):
            self._client.put_object(Bucket=self._bucket, Key=_key(upload), Body=data, ContentType=upload.content_type)
        self._describe(upload)
        return upload.model_copy(update={"complete": True})

    def received(self, upload: Upload) -> Sequence[ReceivedPart]:
        """Return the parts that are there, by number; none when the upload is no longer under way."""
        try:
            with aws_call("S3", "NoSuchUpload"):
                answer = self._client.list_parts(**self._under_way(upload))
        except ClientError:
            return ()
        return tuple(
            ReceivedPart(number=part["PartNumber"], size=part["Size"], sha256=part["ChecksumSHA256"], etag=part["ETag"])
            for part in answer.get("Parts", [])
        )

    def part_url(self, upload: Upload, part: Part, sha256: str) -> str:
        """Return an address that takes the bytes of a part of this SHA-256 for an hour, and no others."""
        with aws_call("S3"):
            url: str = self._client.generate_presigned_url(
                "upload_part",
                Params={
                    **self._under_way(upload),
                    "PartNumber": part.number,
                    "ContentLength": part.size,
                    "ChecksumSHA256": sha256,
                },
                ExpiresIn=int(PART_URL_SECONDS),
            )
        return url

    def complete(self, upload: Upload, parts: Sequence[ReceivedPart]) -> None:
        """Make one file of all parts. Safe to repeat; Busy when the parts were replaced meanwhile."""
        named = [{"PartNumber": part.number, "ETag": part.etag, "ChecksumSHA256": part.sha256} for part in parts]
        try:
            with aws_call("S3", "NoSuchUpload", "InvalidPart"):
                self._client.complete_multipart_upload(**self._under_way(upload), MultipartUpload={"Parts": named})
        except ClientError:
            if not self._is_whole(upload):
                raise Busy("The upload was changed meanwhile.", "Look at it, and complete it again.") from None

    def drop(self, upload: Upload) -> None:
        """Remove what is there of an upload; that it was dropped stays known. Safe to repeat."""
        self._describe(upload.model_copy(update={"dropped": True}))
        with suppress(ClientError), aws_call("S3", "NoSuchUpload"):  # it was completed, or dropped before
            self._client.abort_multipart_upload(**self._under_way(upload))
        with aws_call("S3"):
            self._client.delete_object(Bucket=self._bucket, Key=_key(upload))

    @contextmanager
    def open(self, workspace_id: str, name: UploadName, *, max_bytes: int) -> Iterator[Source]:
        """Begin to read a whole file of a workspace; MediaDownloadFailed when it is gone, MediaTooLarge when it is."""
        with object_source(self._file(workspace_id, name), "uploaded", max_bytes=max_bytes) as source:
            yield source

    @contextmanager
    def look(self, workspace_id: str, name: UploadName) -> Iterator["LookedAt"]:
        """Begin to look at a whole file of a workspace; MediaDownloadFailed when it is gone."""
        answer = self._file(workspace_id, name)
        media = StoredMedia(
            key=_key_of_file(workspace_id, name), etag=answer["ETag"], size=int(answer["ContentLength"])
        )
        with object_source(answer, "uploaded", max_bytes=media.size) as source:
            head = source.head
        yield LookedAt(media.size, head, lambda: object_file(self._part, media))

    def _file(self, workspace_id: str, name: UploadName) -> Any:
        """Return S3's answer about a whole file."""
        answer = self._get(_key_of_file(workspace_id, name))
        if answer is None:
            raise MediaDownloadFailed("The uploaded file is gone.", "Upload it again, and make a new post of it.")
        return answer

    def _part(self, media: StoredMedia, first: int, last: int) -> Any:
        """Return the body of bytes `first` to `last`; nothing puts other bytes in a whole file's place."""
        with aws_call("S3"):
            return self._client.get_object(Bucket=self._bucket, Key=media.key, Range=f"bytes={first}-{last}")["Body"]

    def _describe(self, upload: Upload) -> None:
        with aws_call("S3"):
            self._client.put_object(
                Bucket=self._bucket,
                Key=_key_of_description(upload.workspace_id, upload.upload_id),
                Body=upload.model_dump_json(exclude={"complete"}).encode(),
                ContentType="application/json",
            )

    def _get(self, key: str) -> Any:
        """Return S3's answer; None when there is no such object."""
        try:
            with aws_call("S3", *_GONE):
                return self._client.get_object(Bucket=self._bucket, Key=key)
        except ClientError:
            return None

    def _is_whole(self, upload: Upload) -> bool:
        try:
            # An answer to HEAD has no body that could name the error.
            with aws_call("S3", "404", "403"):
                self._client.head_object(Bucket=self._bucket, Key=_key(upload))
        except ClientError:
            return False
        return True

    def _under_way(self, upload: Upload) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": _key(upload), "UploadId": upload.handle}


class LookedAt(NamedTuple):
    """An uploaded file that is looked at where it lies."""

    size: int | None
    head: bytes
    file: Callable[[], BinaryIO]


def _key(upload: Upload) -> str:
    return _key_of_file(upload.workspace_id, upload.name)


def _key_of_file(workspace_id: str, name: UploadName) -> str:
    return f"uploads/{quote(workspace_id, safe='')}/{name.upload_id}/{name.name}"


def _key_of_description(workspace_id: str, upload_id: str) -> str:
    return f"uploads/{quote(workspace_id, safe='')}/{upload_id}.json"


def _origin(client: Any, bucket: str) -> str:
    """Read the host that addresses of the bucket have from one that nobody calls."""
    address = urlsplit(client.generate_presigned_url("head_bucket", Params={"Bucket": bucket}))
    return f"{address.scheme}://{address.netloc}"
