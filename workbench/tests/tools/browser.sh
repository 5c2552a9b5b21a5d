# Finds Chromium and its driver for the dashboard's browser tests, or puts Debian's packages into .tools/browser.
# Sourced by ./test; `provide_browser` sets PELLUCID_CHROMIUM and PELLUCID_CHROMEDRIVER, or fails and says what to install.
# Nothing is installed on the machine and no root is needed: apt works on folders of its own, dpkg-deb only unpacks.
# PELLUCID_IGNORE_SYSTEM_CHROMIUM=1 acts as if the machine had no Chromium.

provide_browser() {
    local room="$PWD/.tools/browser"
    if [[ -n ${PELLUCID_CHROMIUM:-} && -n ${PELLUCID_CHROMEDRIVER:-} ]]; then
        : # given by the caller
    elif [[ -z ${PELLUCID_IGNORE_SYSTEM_CHROMIUM:-} ]] && command -v chromium chromedriver >/dev/null; then
        PELLUCID_CHROMIUM=$(command -v chromium)
        PELLUCID_CHROMEDRIVER=$(command -v chromedriver)
    else
        [[ -f $room/ready ]] || unpack_browser "$room" || { advise_browser; return 1; }
        PELLUCID_CHROMIUM="$room/chromium"
        PELLUCID_CHROMEDRIVER="$room/chromedriver"
    fi
    export PELLUCID_CHROMIUM PELLUCID_CHROMEDRIVER
    browser_draws || { advise_browser; return 1; }
    echo "browser: $PELLUCID_CHROMIUM, $("$PELLUCID_CHROMEDRIVER" --version | cut -d' ' -f1,2)"
}

advise_browser() {
    echo "The browser tests need Chromium and chromedriver, and neither finding nor unpacking them worked here." >&2
    echo "Install both (Debian: apt-get install chromium chromium-driver fonts-dejavu-core), or name them in PELLUCID_CHROMIUM" >&2
    echo "and PELLUCID_CHROMEDRIVER, or leave the browser tests out with PELLUCID_SKIP_BROWSER=1." >&2
}

# The packages with all they depend on, as if nothing were installed: the same set on every machine.
unpack_browser() {
    command -v apt-get dpkg-deb >/dev/null || return 1
    local room=$1 apt="$1.apt" archive
    rm -rf "$room" "$apt" && mkdir -p "$room" "$apt"/{state/lists/partial,cache/archives/partial} && touch "$apt/status" || return 1
    local own=(-q -o "Dir::State=$apt/state" -o "Dir::State::status=$apt/status" -o "Dir::Cache=$apt/cache"
        -o Debug::NoLocking=1 -o APT::Sandbox::User= -o APT::Install-Recommends=0 -o APT::Update::Post-Invoke::=true)
    echo "browser: fetching Debian's chromium into .tools/browser"
    apt-get "${own[@]}" update >"$apt/log" 2>&1 \
        && apt-get "${own[@]}" --yes --download-only install chromium chromium-driver fonts-dejavu-core >>"$apt/log" 2>&1 \
        || { tail -n 5 "$apt/log" >&2; return 1; }
    for archive in "$apt"/cache/archives/*.deb; do
        case ${archive##*/} in
            libc6_* | libc-bin_*) ;; # the machine's own C library and loader belong together
            *) dpkg-deb -x "$archive" "$room" || return 1 ;;
        esac
    done
    write_browser_wrappers "$room" && rm -rf "$apt" && touch "$room/ready"
}

# Programs that find the unpacked libraries and fonts, wherever the folder is moved to.
write_browser_wrappers() {
    local room=$1 name
    cat >"$room/fonts.conf" <<'FONTS' || return 1
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir prefix="relative">usr/share/fonts</dir><cachedir prefix="xdg">fontconfig</cachedir></fontconfig>
FONTS
    ln -s ../lib/chromium/chromium "$room/usr/bin/chromium.unpacked" || return 1
    ln -s chromedriver "$room/usr/bin/chromedriver.unpacked" || return 1
    for name in chromium chromedriver; do
        cat >"$room/$name" <<'WRAPPER' || return 1
#!/bin/sh
room=$(dirname "$(readlink -f "$0")")
for folder in "$room"/lib/*-linux-gnu* "$room"/usr/lib/*-linux-gnu* "$room"/usr/lib/*-linux-gnu*/nss "$room"/usr/lib/*-linux-gnu*/pulseaudio; do
    LD_LIBRARY_PATH="$folder${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
done
export LD_LIBRARY_PATH FONTCONFIG_FILE="$room/fonts.conf"
exec "$(readlink -f "$room/usr/bin/$(basename "$0").unpacked")" "$@"
WRAPPER
        chmod +x "$room/$name"
    done
}

# Draws one page, so that a browser that cannot start is found before minutes of tests.
browser_draws() {
    local place status=1
    place=$(mktemp -d)
    timeout 60 "$PELLUCID_CHROMIUM" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --user-data-dir="$place/profile" \
        --window-size=320,200 --screenshot="$place/page.png" 'data:text/html,<h1>Pellucid</h1>' >"$place/log" 2>&1
    if [[ -s $place/page.png ]]; then status=0; else tail -n 5 "$place/log" >&2; fi
    rm -rf "$place"
    return $status
}
