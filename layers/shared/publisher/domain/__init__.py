"""What the service knows about posts, accounts and TikTok's rules: pure, only the standard library and pydantic."""
