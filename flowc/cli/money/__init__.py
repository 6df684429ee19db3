"""What the commands about money show."""
