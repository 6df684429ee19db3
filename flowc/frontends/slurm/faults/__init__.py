"""Faults in options as diagnostics: the place inside the value, a help and, where it is certain, a fix."""
