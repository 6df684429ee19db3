"""Which machine a job gets: what it needs, what is in question, what is chosen and why."""
