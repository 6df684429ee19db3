"""What the commands share that submit jobs, and that ask and end what was submitted.

`world` opens settings, journal and providers; `names` finds tasks; `compiling` makes a request document of sources,
`submitting` submits it; `looking` and `waiting` see how tasks end; `bill` says who ends what is paid for them.
"""
