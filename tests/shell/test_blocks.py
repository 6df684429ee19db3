"""What a block of the shell encloses. The text `@` marks the place."""

from __future__ import annotations

import pytest

from flowc.shell.blocks import any_enclosed

ENCLOSED = [
    "while read x; do\n  @\ndone < f\n",
    "for x in a; do @; done <f",
    "{ read -r line; @; } <<'EOF'\none\nEOF\n",
    "f() {\n  @\n}\nf < g\n",
    "f ()\n{\n@\n}\n",
    "if true; then\n  @\nelse\n  :\nfi < f\n",
    "case $a in\n  x) @ ;;\nesac < f\n",
    "( read x; @ ) < f\n",
    "(\n@\n) < f\n",
    "while :; do\n  if a; then b; fi\n  for y in z; do c; done\n  @\ndone < f\n",
    "while :; do\n  @\n  if a; then b; fi\n  for y in z; do c; done\ndone < f\n",
    "while :; do\n  @\n  # if you like, do it; for (a\n  echo if do case\ndone < f\n",
    "while :; do\n  @\n  python - <<'EOF'\nif x:\n    pass\nEOF\ndone < f\n",
    "a | while read x; do @; done\n",
    "for x in a\ndo\n@\ndone\n",
    "while :; do\n  @\n  echo 'x; do'\ndone < f\n",
    'while :; do\n  @\n  echo "x; do y"\ndone < f\n',
    "while :; do\n  @ # one; if a; do b\n  : # ; do\ndone < f\n",
    "while :; do\n  @\n  cat >a <<'E'\nfor x in b; do\nE\ndone < f\n",
    'y="$(while :; do @; done < f)"\n',
    "while :; do\n  @\n  case x in a) b ;; esac\ndone < f\n",
]
FREE = [
    "@\necho 'a; done'\n",
    "@\n: # ; done\n",
    "@\ncat >a <<E\ndone\nfi\nE\n",
    "@",
    "@\nwhile read x; do\n  :\ndone < f\n",
    "while read x; do\n  :\ndone < f\n@\n",
    "@\nf() {\n  if a; then b; fi\n  case $x in\n    a|b) c ;;\n    *) d ;;\n  esac\n}\nf < g\n",
    "x=$(a b)\n@\ny=${x%(*}\necho done; echo 'a fi'\n",
    "f ( ) {\n:\n}\n@ && g() { :; }\n",
    "if a; then b; fi; @ || { echo no; exit 1; }\n",
]


@pytest.mark.parametrize("text", ENCLOSED)
def test_enclosed(text: str) -> None:
    assert any_enclosed(text, [text.index("@")], shell=True)


@pytest.mark.parametrize("text", FREE)
def test_free(text: str) -> None:
    assert not any_enclosed(text, [text.index("@")], shell=True)


def test_of_several_places_one_is_enough() -> None:
    text = "@\nwhile read x; do\n  @\ndone < f\n@\n"
    places = [index for index, char in enumerate(text) if char == "@"]
    assert any_enclosed(text, places, shell=True)
    assert not any_enclosed(text, [places[0], places[2]], shell=True)
