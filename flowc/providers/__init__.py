"""Where jobs run: one protocol (`base`), a folder for each provider."""

# In the order in which their tasks are listed; the first is the default.
PROVIDERS = ("mithril", "local")
# What machines on this computer can be made of (`flowc.machines.boot`); the first is the default: the best there is.
LOCAL_MACHINES = ("auto", "docker", "namespaces", "group")
