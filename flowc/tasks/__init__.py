"""What all that submit jobs and look after tasks have in common, be it for a command or for a Python program.

`world` opens settings, journal and providers; `documents` makes one request document of several, `submitting` begins a
submission of it once, `placing` places its bids; `names` finds tasks; `looking` and `waiting` see how they end,
`output` is what they say, `cancelling` ends them; `defaults` are settings that stand in for job flags. Nothing
here prints: what is to be said goes to `World.tell`.
"""
