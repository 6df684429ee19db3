"""A cluster's own configuration, slurm.conf and gres.conf, as a profile.

conf.py     the files as lines of keys and values, as Slurm's daemons read them
ranges.py   lists of hosts, times, sizes
nodes.py    nodes and partitions, with their defaults put in
written.py  the profile
"""

from __future__ import annotations
