#!/usr/bin/env bash
# One visit to a GPU: checks, sanitizer, `pellucid bench gpu`, the peers, the table; everything it writes lands in one folder.
#
#   xai/bench/gpu.sh --pellucid target/release/pellucid --out visit [--minutes 25] [--python python3] [--products own,cublaslt,wgmma] [--quick]
#
# It needs no Rust and no network, only the program, this folder and NVIDIA's driver; the peers need Python with PyTorch and
# transformers, and name what is missing. It sets nothing on the GPU. No stage's failure loses the results of another; the last
# line says how each ended. Without a GPU it says so and ends with 0, or with 1 where PELLUCID_REQUIRE_CUDA=1.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

pellucid=target/release/pellucid out=visit minutes=25 python=python3 products=own,cublaslt,wgmma
quick=()
while (($#)); do
    case $1 in
    --pellucid) pellucid=$2 && shift 2 ;;
    --out) out=$2 && shift 2 ;;
    --minutes) minutes=$2 && shift 2 ;;
    --python) python=$2 && shift 2 ;;
    --products) products=$2 && shift 2 ;;
    --quick) quick=(--quick) && shift ;;
    *) sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2 && exit 2 ;;
    esac
done
mkdir -p "$out" || exit 1
said=$out/visit.txt
stages=$out/stages.tsv
: >"$said" && : >"$stages"
failed=0

left() { echo $((minutes * 60 - SECONDS)); }

remember() {
    printf '%s\t%s\t%s s\n' "$1" "$2" "$3" | tee -a "$stages"
}

# stage NAME SHARE COMMAND...: runs it within a share, in hundredths, of all the time, and within what is left of it.
stage() {
    local name=$1 most=$(($2 * minutes * 60 / 100)) started=$SECONDS status=0
    shift 2
    (($(left) < most)) && most=$(left)
    if ((most < 5)); then
        failed=1
        remember "$name" "left out: no time was left" 0
        return 1
    fi
    printf '\n== %s, %d seconds at most: %s\n' "$name" "$most" "$*" >>"$said"
    timeout -k 5 "$most" "$@" >>"$said" 2>&1 || status=$?
    case $status in
    0) remember "$name" passed $((SECONDS - started)) ;;
    124 | 137) failed=1 && remember "$name" "FAILED: out of time" $((SECONDS - started)) ;;
    *) failed=1 && remember "$name" "FAILED with $status: $(tail -n 1 "$said")" $((SECONDS - started)) ;;
    esac
    return $status
}

skip() { remember "$1" "skipped: $2" 0; }

# Minutes of a share, for commands that end by themselves: a little less, so that they write all they have.
share() { awk -v all="$minutes" -v share="$1" 'BEGIN { printf "%.2f", 0.9 * all * share / 100 }'; }

one_pass() {
    "$pellucid" bench gpu --quick --models tiny --parts ladder --tasks forward --batches 1 --precision f32 --replays 1 \
        --out "$out/first.json" >>"$said" 2>&1
}

"$pellucid" doctor >>"$said" 2>&1 || { echo "$pellucid does not run: build it, or name it with --pellucid" >&2 && exit 1; }
nvidia-smi >>"$said" 2>&1 || echo "nvidia-smi is not here" >>"$said"
if ! one_pass; then
    echo "no pass runs on a CUDA device here: $(tail -n 1 "$said")"
    rm -f "$out/first.json"
    [[ ${PELLUCID_REQUIRE_CUDA:-} == 1 ]] && exit 1
    exit 0
fi
# An emulated device has one kind of kernels, and no speed.
small=() numbers=bf16,f32 large=(--models vit_large_patch32_384,vit_base_patch16_384 --precision bf16)
if grep -q "an emulated device" "$said"; then
    small=(--models tiny --batches 1 --precision f32 --replays 2) numbers=f32 large=()
fi

if command -v compute-sanitizer >/dev/null 2>&1; then
    for tool in memcheck racecheck; do
        stage "sanitizer $tool" 10 compute-sanitizer --tool "$tool" --error-exitcode 9 "$pellucid" bench gpu --quick --models tiny \
            --parts parity --precision "$numbers" --out "$out/sanitized.json"
    done
    rm -f "$out/sanitized.json"
else
    skip sanitizer "compute-sanitizer is not here"
fi

stage "pellucid bench gpu" 45 "$pellucid" bench gpu "${quick[@]}" --minutes "$(share 45)" "${small[@]}" --out "$out/gpu.json"

for way in ${products//,/ }; do
    if ! PELLUCID_PRODUCTS=$way one_pass; then
        skip "products: $way" "$(tail -n 1 "$said")"
        continue
    fi
    PELLUCID_PRODUCTS=$way stage "products: $way" 6 "$pellucid" bench gpu "${quick[@]}" --parts rates,ladder --tasks forward \
        --minutes "$(share 6)" "${large[@]}" "${small[@]}" --out "$out/gpu_$way.json"
done

if "$python" -c "import torch, transformers" >>"$said" 2>&1; then
    device=cuda:0
    ((${#small[@]})) && device=cpu
    stage peers 25 "$python" "$here/gpu_peers.py" "${quick[@]}" --device "$device" --minutes "$(share 25)" "${small[@]}" --out "$out/gpu_peers.json"
else
    skip peers "$python has no PyTorch with transformers: $(tail -n 1 "$said")"
fi

if command -v "$python" >/dev/null 2>&1; then
    stage table 5 "$python" "$here/gpu_table.py" "$out"/gpu*.json && "$python" "$here/gpu_table.py" "$out"/gpu*.json >"$out/table.md"
else
    skip table "$python is not here"
fi
rm -f "$out/first.json"
((failed)) && echo "some stages failed: $said tells what they said" || echo "all stages passed"
exit $failed
