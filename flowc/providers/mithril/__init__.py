"""Mithril: bids on its spot market.

`transport` sends one request, `calls` repeats what may be repeated and reads the replies, `client` knows the API's
resources, `states` says what they mean for a task.
"""
