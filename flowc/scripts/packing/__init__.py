"""Packs a startup script into the provider's limit."""
