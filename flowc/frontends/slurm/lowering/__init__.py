"""From the options of a batch script, by their meaning, to jobs."""
