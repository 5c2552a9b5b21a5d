# Provides Jupyter's own programs for the kernel's tests, in a virtual environment in .tools/jupyter.
# Sourced by ./test; `provide_jupyter` sets PELLUCID_JUPYTER to the environment's folder, or fails and says what to do.
# PELLUCID_JUPYTER set by the caller is used as it is. Versions are pinned, so that a run means the same next year.

readonly JUPYTER_PACKAGES=(jupyterlab==4.6.6 notebook==7.6.5 nbclient==0.11.0 nbconvert==7.17.2 nbformat==5.11.1
    jupyter_client==8.10.0 ipykernel==7.4.0)

provide_jupyter() {
    local room="$PWD/.tools/jupyter"
    if [[ -z ${PELLUCID_JUPYTER:-} ]]; then
        [[ -f $room/ready-${JUPYTER_PACKAGES[0]##*=} ]] || install_jupyter "$room" || { advise_jupyter; return 1; }
        PELLUCID_JUPYTER=$room
    fi
    export PELLUCID_JUPYTER
    "$PELLUCID_JUPYTER/bin/python" -c 'import nbclient, jupyter_client; print("jupyter_client", jupyter_client.__version__, "nbclient", nbclient.__version__)' \
        || { advise_jupyter; return 1; }
}

install_jupyter() {
    local room=$1
    command -v python3 >/dev/null || return 1
    echo "jupyter: fetching it from the Python package index into .tools/jupyter"
    rm -rf "$room" && python3 -m venv "$room" && "$room/bin/python" -m pip install --quiet "${JUPYTER_PACKAGES[@]}" \
        && touch "$room/ready-${JUPYTER_PACKAGES[0]##*=}"
}

advise_jupyter() {
    echo "The tests of the notebook kernel need Python 3 with venv (Debian: apt-get install python3-venv) and the Python package index," >&2
    echo "or an environment with ${JUPYTER_PACKAGES[*]}: name its folder in PELLUCID_JUPYTER." >&2
}
