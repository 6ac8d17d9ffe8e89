"""Step DownloadMedia: copies the customer's media to S3 and probes it."""

from publisher.step import step
from publisher.use_cases.download_media import download_media

handler = step(download_media)
