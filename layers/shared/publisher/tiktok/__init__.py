"""TikTok's API as a client sees it; knows nothing of AWS."""
