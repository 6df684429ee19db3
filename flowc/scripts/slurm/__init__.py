"""What a startup script brings of Slurm: its variables and its programs."""
