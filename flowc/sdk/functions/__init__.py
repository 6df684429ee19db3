"""`Flow.invoke`: a function of a module of ours runs on a machine; its result, or its exception, comes back.

`module` finds the function and the code that goes along, `call` makes a script of a call, `runner` is the program that
runs on the machine, `result` reads what it has left.
"""
