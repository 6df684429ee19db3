"""One container: what it starts, with which variables, apart from what."""
