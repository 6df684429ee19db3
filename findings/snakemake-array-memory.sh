#!/bin/bash
# Snakemake's executor for Slurm: a rule that asks for no memory gets the cluster's default as a job, and one megabyte as an array.
#
# Version: snakemake 9.27.1, snakemake-executor-plugin-slurm 2.8.0 (PyPI)
# Behaviour: an array's tasks are given as a word of the command line, and what it takes to read it is added to the memory
#   of the job. Where the job has none, as with `mem_mb=0`, which is how Snakemake's own default is switched off, the sum
#   is that addition alone, so `--mem 1` stands where nothing was asked. `--slurm-disable-memory-fudge` leaves it out. A rule
#   with memory gets one megabyte more than as a job of its own.
# Output:
#   mem_mb=0, a job each: no --mem
#   mem_mb=0, one array: --mem 1
#   mem_mb=0, one array, --slurm-disable-memory-fudge: no --mem
#   mem_mb=500, a job each: --mem 500
#   mem_mb=500, one array: --mem 501
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME=$work PATH=$work/bin:$work/venv/bin:$PATH
self=$(realpath "$0")
cd "$work"
python3 -m venv venv
pip install -q snakemake==9.27.1 snakemake-executor-plugin-slurm==2.8.0 >&2
cat >Snakefile <<'RULES'
rule all:
    input: expand("out/{n}", n=range(3))
rule work:
    output: "out/{n}"
    shell: "echo x >{output}"
RULES
# Stand-ins: sbatch notes its words, and all jobs have ended well when somebody asks.
mkdir bin
cat >bin/sbatch <<'SH'
#!/bin/bash
[[ " $* " != *" --array="* ]] || echo array >>"$HOME/kinds"
grep -o -- ' --mem [0-9]*' <<<"${*//--wrap*/}" >>"$HOME/asked" || echo ' no --mem' >>"$HOME/asked"
echo $((100 + $(wc -l <"$HOME/asked")))
SH
cat >bin/sacct <<'SH'
#!/bin/bash
case "$*" in
*Account*) echo lab ;;
*)
    mkdir -p "$HOME/out" && touch "$HOME"/out/{0,1,2}
    for job in 101 102 103 101_1 101_2 101_3; do echo "$job|COMPLETED"; done
    ;;
esac
SH
printf '#!/bin/bash\necho lab\n' >bin/sacctmgr
for name in scancel squeue sinfo scontrol; do printf '#!/bin/bash\n' >"bin/$name"; done
chmod +x bin/*
ask() {
    local memory=$1 what=$2
    shift 2
    rm -rf out asked kinds .snakemake
    snakemake --executor slurm --jobs 10 --default-resources slurm_partition=p slurm_account=lab "mem_mb=$memory" \
        --slurm-init-seconds-before-status-checks 1 "$@" >log 2>&1 || { cat log >&2; exit 1; }
    case $what in
    *array*) [[ $(wc -l <kinds) == 1 ]] ;;
    *) [[ ! -e kinds ]] ;;
    esac
    echo "mem_mb=$memory, $what:$(sort -u asked)"
}
{
    ask 0 "a job each"
    ask 0 "one array" --slurm-array-jobs all
    ask 0 "one array, --slurm-disable-memory-fudge" --slurm-array-jobs all --slurm-disable-memory-fudge
    ask 500 "a job each"
    ask 500 "one array" --slurm-array-jobs all
} >seen
sed -n '/^# Output:/,/^set /s/^#   //p' "$self" >wanted
diff wanted seen
cat seen
echo "as recorded"
