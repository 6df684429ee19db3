"""What a connection runs on its machine, for bash: the session that answers, and what others begin with."""

from __future__ import annotations

# After how long without a word from us it ends what we started, in seconds.
SILENCE_S = 600
READY = b"flowc-link "

# Requests, a line each: `read OFFSET BYTES PATH` has a line of base64 for an answer, or a dash where there is no file;
# `kill NAME SIGNAL` and `ping` have a line.
KEEPER = r"""umask 077
d=$(mktemp -d /run/flowc-link.XXXXXXXX 2>/dev/null) || d=$(mktemp -d) || exit 1
all() {
  lives=1
  for f in "$d"/*; do
    { read -r g <"$f" && kill -s "$1" -- "$g" && lives=0; } 2>/dev/null
  done
  return $lives
}
trap '' HUP PIPE
printf 'flowc-link %s\n' "$d"
while IFS=' ' read -r -t SILENCE what one two path; do
  case $what in
  read)
    if [ -e "$path" ]; then
      tail -c "+$one" -- "$path" 2>/dev/null | head -c "$two" | base64 -w0
      echo
    else
      echo -
    fi ;;
  kill)
    { read -r g <"$d/$one" && kill -s "$two" -- "$g"; } 2>/dev/null
    echo ;;
  *) echo ;;
  esac
done
exec >/dev/null 2>&1
# Under another name nothing more is put into it: what is being started sees that.
mv "$d" "$d.ends" && d+=.ends
all HUP; all CONT; all TERM
for i in {1..50}; do
  all 0 || break
  sleep 0.1
done
all KILL
rm -rf "$d"
""".replace("SILENCE", str(SILENCE_S))

GONE = "flowc-link: the connection is gone"
# Runs what follows as a group of processes that the keeper knows under the name of its first word; nothing where there
# is no keeper any more, or it ends at this moment.
RUN = r"""n=$1; shift
[ -d "${n%/*}" ] || { echo "GONE" >&2; exit 255; }
set -m
"$@" <&0 & p=$!
set +m
{ { echo "-$p" >"$n" && [ -e "$n" ]; } || kill -s KILL -- "-$p"; } 2>/dev/null
{ wait "$p"; } 2>/dev/null; s=$?
rm -f "$n"; exit "$s"
""".replace("GONE", GONE)


# The same for what has a terminal: the end of this process is the terminal's, which tells whatever runs there.
RUN_ON_TERMINAL = r"""n=$1; shift
{ echo "$$" >"$n" && [ -e "$n" ]; } 2>/dev/null || { echo "GONE" >&2; exit 255; }
trap : INT QUIT
"$@"; s=$?
rm -f "$n"; exit "$s"
""".replace("GONE", GONE)
