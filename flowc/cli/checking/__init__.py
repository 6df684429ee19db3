"""What `flowc check` shows of its findings, and what it changes."""
