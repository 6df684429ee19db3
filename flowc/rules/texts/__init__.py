"""What the texts of a job say that is good on a cluster, or nowhere: for all formats."""
