"""The mock `nvidia-smi` of a local machine: it shows the GPUs that the machine would have, nothing computes on them."""

from __future__ import annotations

# Part of an instance type's name, what nvidia-smi calls it, MiB of memory, watts, compute capability.
MODELS = (
    ("gb200", "NVIDIA GB200", 189471, 1200, "10.0"),
    ("b200", "NVIDIA B200", 183359, 1000, "10.0"),
    ("h200", "NVIDIA H200", 143771, 700, "9.0"),
    ("h100", "NVIDIA H100 80GB HBM3", 81559, 700, "9.0"),
    ("a100-40gb", "NVIDIA A100-SXM4-40GB", 40960, 400, "8.0"),
    ("a100", "NVIDIA A100-SXM4-80GB", 81920, 400, "8.0"),
    ("a6000", "NVIDIA RTX A6000", 49140, 300, "8.6"),
    ("l40s", "NVIDIA L40S", 46068, 350, "8.9"),
)
DRIVER, CUDA = "550.54.15", "12.4"


def count_of(instance_type: str) -> int:
    """GPUs of a type such as `a100-80gb.sxm.8x`; 0 where its name does not say."""
    last = instance_type.rpartition(".")[2]
    return int(last[:-1]) if last.endswith("x") and last[:-1].isdigit() else 0


def nvidia_smi(instance_type: str, count: int) -> str:
    """The text of the program."""
    words = instance_type.partition(".")[0].upper()
    unknown = ("", f"NVIDIA {words}".strip(), 81920, 400, "8.0")
    _, name, memory, watts, capability = next((model for model in MODELS if model[0] in instance_type.lower()), unknown)
    values = {"NAME": name, "MEMORY": memory, "WATTS": watts, "CAPABILITY": capability, "COUNT": count}
    text = _TEXT.replace("@DRIVER@", DRIVER).replace("@CUDA@", CUDA)
    for key, value in values.items():
        text = text.replace(f"@{key}@", str(value))
    return text


_TEXT = r"""#!/bin/bash
# A mock: it shows the GPUs that this machine would have.
name='@NAME@' memory=@MEMORY@ watts=@WATTS@ count=@COUNT@
query= format= list= apps= picked=
while [ $# -gt 0 ]; do
    case $1 in
    -L | --list-gpus) list=1 ;;
    --query-gpu=*) query=${1#*=} ;;
    --query-compute-apps=* | --query-accounted-apps=*) apps=${1#*=} ;;
    --format=*) format=${1#*=} ;;
    -i | --id) picked=$2 && shift ;;
    -i=* | --id=*) picked=${1#*=} ;;
    -l | -lms | --loop | -f | --filename) shift ;;
    -pm | -c | -ac | -pl | -rac | -e) exit 0 ;;
    -h | --help)
        echo "NVIDIA System Management Interface -- v@DRIVER@ (mock)"
        exit 0
        ;;
    *)
        echo "Invalid combination of input arguments. Please run 'nvidia-smi -h' for help." >&2
        exit 6
        ;;
    esac
    shift
done
[ "$count" != 0 ] || {
    echo "No devices were found"
    exit 6
}
indices=()
for ((i = 0; i < count; i++)); do
    case ,$picked, in
    ,, | *,$i,* | *,GPU-*) indices+=("$i") ;;
    esac
done
[ ${#indices[@]} != 0 ] || {
    echo "No devices were found"
    exit 6
}
uuid() { printf 'GPU-%08x-f10c-%04x-8000-%012x' $(($1 + 1)) "$1" $(($1 * 7919 + 1)); }
bus() { printf '00000000:%02X:00.0' $((16 + $1 * 8)); }
value() { # FIELD INDEX: sets v and unit u
    u=
    case $1 in
    index) v=$2 ;;
    name | gpu_name) v=$name ;;
    uuid | gpu_uuid) v=$(uuid "$2") ;;
    serial | gpu_serial) v=$((1320000000000 + $2)) ;;
    count) v=$count ;;
    driver_version) v=@DRIVER@ ;;
    timestamp) printf -v v '%(%Y/%m/%d %H:%M:%S)T.000' -1 ;;
    pci.bus_id | gpu_bus_id) v=$(bus "$2") ;;
    pci.bus) printf -v v '0x%02X' $((16 + $2 * 8)) ;;
    pci.domain) v=0x0000 ;;
    memory.total) v=$memory u=MiB ;;
    memory.used | memory.reserved) v=0 u=MiB ;;
    memory.free) v=$memory u=MiB ;;
    utilization.gpu | utilization.memory) v=0 u=% ;;
    temperature.gpu) v=30 ;;
    temperature.memory) v=35 ;;
    power.draw | power.draw.instant | power.draw.average) v=60.00 u=W ;;
    power.limit | enforced.power.limit | power.default_limit | power.max_limit) v=$watts.00 u=W ;;
    power.management) v=Supported ;;
    clocks.sm | clocks.gr | clocks.current.sm | clocks.current.graphics) v=345 u=MHz ;;
    clocks.mem | clocks.current.memory) v=1593 u=MHz ;;
    clocks.max.sm) v=1980 u=MHz ;;
    pstate) v=P0 ;;
    compute_cap) v=@CAPABILITY@ ;;
    compute_mode) v=Default ;;
    persistence_mode) v=Enabled ;;
    mig.mode.current | ecc.mode.pending) v=Disabled ;;
    ecc.mode.current) v=Enabled ;;
    ecc.errors.*) v=0 ;;
    fan.speed | display_mode) v='[N/A]' ;;
    *) return 1 ;;
    esac
}
if [ "$list" ]; then
    for i in "${indices[@]}"; do echo "GPU $i: $name (UUID: $(uuid "$i"))"; done
elif [ "$query$apps" ]; then
    case ,$format, in
    *,csv,*) ;;
    *)
        echo 'Only "csv" format is supported by this mock: add --format=csv.' >&2
        exit 2
        ;;
    esac
    IFS=', ' read -ra fields <<<"$query$apps"
    header= header_sep=
    for field in "${fields[@]}"; do
        if [ "$apps" ]; then
            header+=$header_sep$field
            header_sep=', '
            continue
        fi
        value "$field" 0 || {
            echo "Field \"$field\" is not a valid field to query."
            exit 2
        }
        [ "$u" ] && header+="$header_sep$field [$u]" || header+=$header_sep$field
        header_sep=', '
    done
    case ,$format, in *,noheader,*) ;; *) echo "$header" ;; esac
    [ -z "$apps" ] || exit 0
    for i in "${indices[@]}"; do
        line= sep=
        for field in "${fields[@]}"; do
            value "$field" "$i"
            case ,$format, in *,nounits,*) ;; *) v+=${u:+ $u} ;; esac
            line+=$sep$v
            sep=', '
        done
        echo "$line"
    done
else
    rule() {
        echo "+-----------------------------------------+------------------------+----------------------+"
    }
    printf '%(%a %b %e %H:%M:%S %Y)T\n' -1
    echo "+-----------------------------------------------------------------------------------------+"
    printf '| %-87s |\n' "NVIDIA-SMI @DRIVER@              Driver Version: @DRIVER@      CUDA Version: @CUDA@"
    rule
    echo "| GPU  Name                 Persistence-M | Bus-Id          Disp.A | Volatile Uncorr. ECC |"
    echo "| Fan  Temp   Perf          Pwr:Usage/Cap |           Memory-Usage | GPU-Util  Compute M. |"
    echo "|                                         |                        |               MIG M. |"
    echo "|=========================================+========================+======================|"
    for i in "${indices[@]}"; do
        printf '| %3d  %-26.26s On  |   %s Off | %20s |\n' "$i" "$name" "$(bus "$i")" 0
        printf '| N/A   30C    P0    %10s / %4dW  | %7dMiB / %7dMiB | %7s      Default |\n' 60W "$watts" 0 "$memory" 0%
        printf '| %39s | %22s | %20s |\n' '' '' Disabled
        rule
    done
    echo
    echo "+-----------------------------------------------------------------------------------------+"
    printf '| %-87s |\n' "Processes:"
    printf '| %-87s |\n' " GPU   GI   CI        PID   Type   Process name                              GPU Memory"
    echo "|=========================================================================================|"
    printf '| %-87s |\n' " No running processes found"
    echo "+-----------------------------------------------------------------------------------------+"
fi
"""
