"""Step ConvertPhotos: makes JPEGs that TikTok takes of the pictures."""

from publisher.step import step
from publisher.use_cases.convert_photos import convert_photos

handler = step(convert_photos)
