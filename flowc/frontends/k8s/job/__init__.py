"""A JobSpec: how often its pods run, for how long, and what decides that it is done."""
