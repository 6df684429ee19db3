"""Machines as containers of a docker engine: `engine` speaks to it, `image` makes what they are made of, `box` starts
one and is its power, `inside` is its first process, `clients` lets its job have containers of its own."""
