"""Jobs that wait for others: `given` reads `--after`, `links` finds what is waited for, `walk` goes from one to the
others, `words` says who waits for whom, and why.
"""
