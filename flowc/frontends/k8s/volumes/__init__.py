"""Volumes and what the containers mount of them."""
