"""Where jobs run: one protocol (`base`), a folder for each provider."""

# In the order in which their tasks are listed; the first is the default.
PROVIDERS = ("mithril", "local")
