"""Which objects flowc reads, where the job in each of them stands, and what their own controllers add to it."""
