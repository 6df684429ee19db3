"""What lines of a profile bring: a text of which no rule has anything to say is judged once, not in each job."""

from __future__ import annotations

from flowc._compiled.shell_words import INTERFACES
from flowc._compiled.slurm_commands import LAUNCHERS, STEP_IMAGES
from flowc.body.commands import calls_in
from flowc.body.frameworks import behind
from flowc.body.modules import SIGNS, enters
from flowc.body.paths.cluster import surely_none
from flowc.patterns import remembered
from flowc.rules.texts.code import SIGNS as CODE_SIGNS
from flowc.rules.texts.code import may_lack
from flowc.rules.texts.wheels import NO_INDEX
from flowc.secret import places
from flowc.shell.inner import inner_texts
from flowc.shell.scan import scan
from flowc.shell.steps import plain_words
from flowc.shell.variables import read_plain, set_in
from flowc.shell.words import calls_shells

# With any of these a text has to be looked at in its job.
_SIGNS = (*INTERFACES, *LAUNCHERS, *STEP_IMAGES, "enroot", "--mpi", "SLURM", NO_INDEX, "~/", "HOME")
# Of what a text with none of the signs above may be told all the same, be it one of steps with plain words.
_LOOKED_AT = (*SIGNS, *CODE_SIGNS)
_DEEPEST = 5  # texts within texts


@remembered(500)  # the lines of a profile
def is_harmless(text: str) -> bool:
    """Whether a text has nothing that any rule tells of, whatever the job that it prepares, and with others like it
    around it: each rule that asks for `texts` has its own part in this."""
    if any(sign in text for sign in _SIGNS) or places(text):
        return False
    if plain_words(text) is not None and not any(sign in text for sign in _LOOKED_AT):
        return not behind(text)
    if enters(text) or not surely_none(text):
        return False
    seen = scan(text)
    if seen.here_documents or any(word == "set" for each in seen.commands for _, word in each.words()[:1]):
        return False
    return read_plain(text, said=False).keys() <= set_in(text) and _calls_nothing(text, _DEEPEST)


def _calls_nothing(text: str, deepest: int) -> bool:
    """Whether neither a text nor one within it calls what a machine may lack, or runs a file that was not brought."""
    if calls_in(text) or behind(text) or may_lack(text):
        return False
    inner = inner_texts(text) if deepest and calls_shells(text) else ()
    return all(_calls_nothing(each.text, deepest - 1) for each in inner)
