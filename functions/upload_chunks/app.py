"""Step UploadChunks: sends the media to TikTok, chunk by chunk."""

from publisher.step import step
from publisher.use_cases.upload_chunks import upload_chunks

handler = step(upload_chunks)
