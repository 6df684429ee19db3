"""What is not to be shown of the findings: by comments of the source, by flags and settings, by a baseline."""
