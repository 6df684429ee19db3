"""A PodSpec as a whole: its containers in their order, its names and addresses."""
