"""The drop bucket in S3, which keeps versions: a file is read as it was when its post was made of it."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from botocore.exceptions import ClientError

from publisher.aws.calls import aws_call
from publisher.aws.object_source import object_source
from publisher.domain.errors import MediaDownloadFailed, ServiceUnavailable
from publisher.ports import DroppedFile, Source

_MOST_FILES = 1000
"""As many as S3 lists at once."""

_GONE = ("NoSuchVersion", "NoSuchKey", "MethodNotAllowed", "AccessDenied")
"""MethodNotAllowed is a deletion, AccessDenied what is missing for whoever may not list the bucket."""


class S3Drops:
    """The port Drops. `client` is a boto3 client of S3, made by `clients.client`."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def find(self, key: str) -> DroppedFile | None:
        """Return the present version of an object; None when there is none."""
        try:
            # An answer to HEAD has no body that could name the error.
            with aws_call("S3", "404", "403"):
                answer = self._client.head_object(Bucket=self._bucket, Key=key)
        except ClientError:
            return None
        return DroppedFile(key=key, version=answer["VersionId"], size=answer["ContentLength"])

    def list(self, prefix: str) -> Sequence[DroppedFile]:
        """Return the present versions of at most a thousand objects whose keys begin so, by key."""
        present = islice(self._present(prefix), _MOST_FILES)
        return tuple(DroppedFile(key=one["Key"], version=one["VersionId"], size=one["Size"]) for one in present)

    def walk(self) -> Iterator[tuple[str, float]]:
        """Return every object's key and the epoch second at which its present version was put."""
        return ((one["Key"], one["LastModified"].timestamp()) for one in self._present(""))

    def _present(self, prefix: str) -> Iterator[dict[str, Any]]:
        """List by version, as the list of objects does not tell theirs; former ones are passed over."""
        page: dict[str, Any] = {"IsTruncated": True}
        start: dict[str, str] = {}
        while page["IsTruncated"]:
            with aws_call("S3"):
                page = self._client.list_object_versions(Bucket=self._bucket, Prefix=prefix, **start)
            yield from (version for version in page.get("Versions", []) if version["IsLatest"])
            start = {"KeyMarker": page.get("NextKeyMarker", ""), "VersionIdMarker": page.get("NextVersionIdMarker", "")}

    def read(self, file: DroppedFile) -> bytes:
        """Return a small object; ServiceUnavailable when this version is gone."""
        answer = self._get(file.key, file.version)
        if answer is None:
            raise ServiceUnavailable("A dropped file is gone.", "Drop it again.")
        with closing(answer["Body"]) as body, aws_call("S3"):
            data: bytes = body.read()
        return data

    def url(self, file: DroppedFile) -> str:
        """Return the address of this version, which only `open` understands."""
        return f"s3://{self._bucket}/{quote(file.key)}?versionId={quote(file.version, safe='')}"

    @contextmanager
    def open(self, url: str, *, max_bytes: int) -> Iterator[Source]:
        """Begin to read a version; MediaDownloadFailed when it is gone, MediaTooLarge when it is too large.

        It is looked for in this bucket, whichever the address names.
        """
        parts = urlsplit(url)
        answer = self._get(unquote(parts.path[1:]), parse_qs(parts.query)["versionId"][0])
        if answer is None:
            raise MediaDownloadFailed("The dropped file is gone, or may not be read.", "Drop it again.")
        with object_source(answer, "dropped", max_bytes=max_bytes) as source:
            yield source

    def write(self, key: str, text: str) -> None:
        """Store a text. Safe to repeat."""
        with aws_call("S3"):
            self._client.put_object(
                Bucket=self._bucket, Key=key, Body=text.encode(), ContentType="application/json; charset=utf-8"
            )

    def _get(self, key: str, version: str) -> Any:
        """Return S3's answer; None when this version is gone."""
        try:
            with aws_call("S3", *_GONE):
                return self._client.get_object(Bucket=self._bucket, Key=key, VersionId=version)
        except ClientError:
            return None
