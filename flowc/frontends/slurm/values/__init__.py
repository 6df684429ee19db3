"""One option at a time: what sbatch takes as its value and prints of it, and what that text means."""
