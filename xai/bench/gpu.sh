#!/usr/bin/env bash
# One visit to a GPU, in one call or in several; everything it writes lands in one folder, eight files at most.
#
#   xai/bench/gpu.sh --pellucid target/release/pellucid --out visit [--minutes 9] [--stages LIST] [--python python3] [--quick]
#
# Stages, with commas between them, in the order in which they shall run:
#   ours               parity and the ladder in bf16
#   own cublaslt wgmma parity and forward passes with these products
#   peers              PyTorch's side; a second call goes on where the first one ended
#   f32                parity and the ladder in f32
#   rates              products, attention, memory, launches
#   sanitizer          memcheck and racecheck over the parity part, memcheck of wgmma; also one by one: memcheck racecheck memcheck_wgmma
# Without --stages: ours,own,peers,f32,wgmma,rates,sanitizer. The table is made after every stage, of all that lies in the folder.
#
# It needs no Rust and no network, only the program, this folder and NVIDIA's driver; the peers need Python with PyTorch and
# transformers. It sets nothing on the GPU. No stage's failure loses the results of another; visit.txt says how each ended.
# Without a GPU it says so and ends with 0, or with 1 where PELLUCID_REQUIRE_CUDA=1.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

pellucid=target/release/pellucid out=visit minutes=9 python=python3 list=ours,own,peers,f32,wgmma,rates,sanitizer
quick=()
# What a stage is given of the time, beside the others of a call.
declare -A weight=([ours]=40 [own]=12 [cublaslt]=12 [wgmma]=12 [peers]=40 [f32]=25 [rates]=15 [memcheck]=8 [racecheck]=8 [memcheck_wgmma]=8)

usage() { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"; }

refuse() {
    echo "$1; see ${BASH_SOURCE[0]} --help" >&2
    exit 2
}

while (($#)); do
    case $1 in
    --help | -h) usage && exit 0 ;;
    --quick) quick=(--quick) && shift && continue ;;
    --pellucid | --out | --minutes | --stages | --python) (($# > 1)) || refuse "$1 needs a value" ;;
    *) refuse "$1 is no option" ;;
    esac
    case $1 in
    --pellucid) pellucid=$2 ;;
    --out) out=$2 ;;
    --minutes) minutes=$2 ;;
    --stages) list=$2 ;;
    --python) python=$2 ;;
    esac
    shift 2
done
[[ $minutes =~ ^[1-9][0-9]{0,3}$ ]] || refuse "--minutes $minutes is no whole number from 1 to 9999"
list=${list//sanitizer/memcheck,racecheck,memcheck_wgmma}
IFS=, read -ra coming <<<"$list"
((${#coming[@]})) || refuse "--stages names no stage"
for name in "${coming[@]}"; do
    [[ -n $name && -n ${weight[$name]:-} ]] || refuse "--stages: '$name' is no stage"
done

mkdir -p "$out" && scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
exec 3>&1
said=$out/visit.txt
failed=0 ran=0 aside=0 child='' current=checks
# gpu.json is of products as they are found; the ways that are named have stages of their own.
unset PELLUCID_PRODUCTS
printf '\n== visit of %s, %s minutes: %s\n' "$(date -u '+%F %T UTC')" "$minutes" "$list" >>"$said"

# Some seconds are kept for the table.
left() { echo $((minutes * 60 - 5 - SECONDS)); }

remember() { printf -- '-- %s\t%s\t%s s\n' "$1" "$2" "$3" | tee -a "$said"; }

leave_out() {
    aside=$((aside + 1))
    remember "$1" "left out: $2" 0
}

# limited SECONDS COMMAND...: in the background, so that a signal to this script is not kept waiting by what runs.
limited() {
    local status=0
    timeout -k 3 "$@" 3>&- &
    child=$!
    wait "$child" || status=$?
    child=
    ((status == 124)) && echo "it did not end within $1 seconds"
    return $status
}

# Seconds for the next stage: of what is left, its weight among those that are still to come.
allowed() {
    local all=0 name
    for name in "${coming[@]}"; do all=$((all + weight[$name])); done
    echo $(($(left) * weight[${coming[0]}] / all))
}

# Whether there is time for the stage, once it is known that it can run.
timely() {
    local now
    now=$(left)
    ((now < most)) && most=$now
    ((most >= 5)) && return 0
    leave_out "$current" "no time was left"
    return 1
}

# stage COMMAND...: runs it within `most` seconds.
stage() {
    local name=$current started=$SECONDS status=0
    printf '\n== %s, %d seconds at most: %s\n' "$name" "$most" "$*" >>"$said"
    ran=$((ran + 1))
    limited "$most" "$@" >>"$said" 2>&1 || status=$?
    case $status in
    0) remember "$name" passed $((SECONDS - started)) ;;
    124 | 137) failed=1 && remember "$name" "FAILED: out of time, its results end early" $((SECONDS - started)) ;;
    *) failed=1 && remember "$name" "FAILED with $status: $(tail -n 1 "$said")" $((SECONDS - started)) ;;
    esac
}

# Minutes for a command that ends by itself: a little less, so that its last row is whole.
inner() { awk -v most="$most" 'BEGIN { printf "%.2f", 0.9 * most / 60 }'; }

# bench FILE OPTIONS...: `pellucid bench gpu` as a stage.
bench() {
    local file=$1
    shift
    timely || return 0
    stage "${way[@]}" "$pellucid" bench gpu "${quick[@]}" --minutes "$(inner)" "$@" "${small[@]}" --out "$out/$file"
}

# one_pass PRECISION [VARIABLE=VALUE]
one_pass() {
    local precision=$1
    shift
    limited 60 env "$@" "$pellucid" bench gpu --quick --models tiny --parts ladder --tasks forward --batches 1 \
        --precision "$precision" --replays 1 --out "$scratch/first.json" >>"$said" 2>&1
}

# A visit leaves eight files at most, of which six are not of a way: two ways have room.
room() {
    local file others=0
    for file in "$out"/gpu_*.json; do
        case ${file##*/gpu_} in
        '*.json' | f32.json | rates.json | peers.json | "$1.json") ;;
        *) others=$((others + 1)) ;;
        esac
    done
    ((others < 2))
}

named_way() {
    way=(env "PELLUCID_PRODUCTS=$current")
    if ! room "$current"; then
        leave_out "$current" "$out has the results of two other ways; name another folder"
    elif ! one_pass "$numbers" "PELLUCID_PRODUCTS=$current"; then
        leave_out "$current" "$(tail -n 1 "$said")"
    else
        bench "gpu_$current.json" --parts parity,ladder --tasks forward "${large[@]}"
    fi
}

peers() {
    local device=cuda:0
    ((${#small[@]})) && device=cpu
    if limited 60 "$python" -c "import torch, transformers" >>"$said" 2>&1; then
        timely && stage "$python" "$here/gpu_peers.py" --resume "${quick[@]}" --device "$device" --minutes "$(inner)" "${small[@]}" \
            --out "$out/gpu_peers.json"
    else
        leave_out peers "$python has no PyTorch with transformers: $(tail -n 1 "$said")"
    fi
}

# Own kernels are what is to be checked; NVIDIA's library is large under a sanitizer.
sanitizer() {
    local tool=${current%_wgmma} ways=(PELLUCID_CUBLASLT=off)
    [[ $current == *_wgmma ]] && ways+=(PELLUCID_PRODUCTS=wgmma)
    if command -v compute-sanitizer >/dev/null 2>&1; then
        timely && stage env "${ways[@]}" compute-sanitizer --tool "$tool" --error-exitcode 9 "$pellucid" bench gpu --quick --models tiny \
            --parts parity --precision "$numbers" --out "$scratch/sanitized.json"
    else
        leave_out "$current" "compute-sanitizer is not here"
    fi
}

# After every stage: who is killed outright leaves the table of what there was. It never takes the committed results for these.
tabulate() {
    rm -f "$out"/gpu*.json.*
    local files=("$out"/gpu*.json)
    [[ -e ${files[0]} ]] || return 0
    timeout -k 3 20 "$python" "$here/gpu_table.py" "${files[@]}" >"$scratch/table.md" 2>>"$said" && mv "$scratch/table.md" "$out/table.md"
}

finish() {
    tabulate || { failed=1 && remember table "FAILED: $(tail -n 1 "$said")" 0; }
    echo "$ran stages ran, $aside were left out; $said tells what they said"
    ((ran)) || { echo "nothing was measured" && failed=1; }
    ((failed)) && echo "something failed" || echo "what ran passed"
    exit $((failed ? ${1:-1} : 0))
}

ended_early() {
    trap '' TERM INT HUP
    # What was interrupted may have had its output sent elsewhere.
    exec >&3
    failed=1
    [[ -n $child ]] && kill -TERM "$child" 2>/dev/null && wait "$child"
    remember "$current" "FAILED: a signal ended the visit" "$SECONDS"
    finish 143
}
trap ended_early TERM INT HUP

if ! limited 120 "$pellucid" doctor >>"$said" 2>&1; then
    echo "$pellucid doctor fails: $(tail -n 1 "$said"); build it for this machine, or name it with --pellucid" >&2
    exit 1
fi
limited 30 nvidia-smi >>"$said" 2>&1 || echo "nvidia-smi is not here" >>"$said"
small=() parts=parity,ladder numbers=bf16 large=(--models vit_large_patch32_384,vit_base_patch16_384 --precision bf16)
if ! one_pass f32; then
    why=$(tail -n 1 "$said")
    limited 30 nvidia-smi -L >"$scratch/gpus" 2>&1
    if ! grep -q '^GPU' "$scratch/gpus"; then
        echo "no pass runs on a CUDA device here: $why"
        [[ ${PELLUCID_REQUIRE_CUDA:-} == 1 ]] && exit 1
        exit 0
    fi
    echo "no pass runs on the GPU that nvidia-smi sees, so parity shall say what is wrong: $why"
    failed=1 parts=parity
elif grep -q '"emulated": true' "$scratch/first.json"; then
    # An emulated device has one kind of kernels, and no speed.
    small=(--models tiny --batches 1 --replays 2 --precision f32) numbers=f32 large=()
fi

while ((${#coming[@]})); do
    current=${coming[0]} most=$(allowed) way=(env)
    coming=("${coming[@]:1}")
    precision=(--precision bf16)
    [[ $current == f32 ]] && precision=(--precision f32)
    ((${#small[@]})) && precision=()
    case $current in
    ours) bench gpu.json --parts "$parts" "${precision[@]}" ;;
    f32) bench gpu_f32.json --parts "$parts" "${precision[@]}" ;;
    rates) bench gpu_rates.json --parts rates ;;
    peers) peers ;;
    mem* | race*) sanitizer ;;
    *) named_way ;;
    esac
    tabulate
done
finish
