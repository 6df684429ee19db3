"""Where jobs run: a folder for each provider, and what they have in common (`base`)."""
