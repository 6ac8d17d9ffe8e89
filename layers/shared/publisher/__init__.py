"""Publish to TikTok: the code that every function shares."""
