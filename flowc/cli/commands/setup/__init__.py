"""The commands that set flowc up, and look after what it has started."""
