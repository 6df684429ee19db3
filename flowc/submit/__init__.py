"""Submission: a request document becomes tasks of a provider, exactly once, and their bill ends.

`plan` makes steps of a document, `journal` keeps them on disk, `steps` carries them out and finds out what exists where
something went wrong, each when its turn comes (`turns`); `delivery` brings what machines wait for, `ending` sees how
jobs end and ends what is paid for.
"""
