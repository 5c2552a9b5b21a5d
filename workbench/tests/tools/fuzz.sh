# libFuzzer on every fuzz target, for so many seconds each; sourced by ./test.
#
# Needs a C++ compiler for libFuzzer itself and nothing else: no nightly Rust and no cargo-fuzz. Coverage comes from LLVM's own
# pass, which stable Rust can be told to run; without a sanitizer, because the code that is fuzzed is safe Rust.
# The versions are those of the workspace's lock file.

FUZZ_TARGETS=(xai/fuzz:pth xai/fuzz:pickle xai/fuzz:safetensors datasets/fuzz:decode)
FUZZ_FLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
-Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares -Cllvm-args=-simplifycfg-branch-fold-threshold=0 \
-Ccodegen-units=1 --cfg fuzzing"

# fuzz_build: builds every target, instrumented, into target/fuzz.
fuzz_build() {
    local host package
    host=$(rustc -vV | sed -n 's/^host: //p')
    for package in xai/fuzz datasets/fuzz; do
        cp Cargo.lock "$package/Cargo.lock"
        RUSTFLAGS=$FUZZ_FLAGS CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}/fuzz \
            cargo build --release --manifest-path "$package/Cargo.toml" --target "$host" || return 1
    done
}

# fuzz_run SECONDS: runs every target on its seeds; what breaks one is kept in target/fuzz/failures.
fuzz_run() {
    local seconds=$1 host name package target found products=${CARGO_TARGET_DIR:-$PWD/target}/fuzz
    host=$(rustc -vV | sed -n 's/^host: //p')
    mkdir -p "$products/failures"
    for name in "${FUZZ_TARGETS[@]}"; do
        package=${name%:*} target=${name#*:} found=$products/found/${name#*:}
        mkdir -p "$found"
        "$products/$host/release/$target" -max_total_time="$seconds" -max_len=16384 -rss_limit_mb=2048 -timeout=60 -print_final_stats=1 \
            -artifact_prefix="$products/failures/$target-" "$found" "$package/corpus/$target" || return 1
    done
}
