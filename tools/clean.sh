#!/bin/sh
# Removes what the set-up and the runs have made. Refuses while an Asterisk of this folder is still running.
set -eu
cd "$(dirname "$0")/.."
for process in /proc/[0-9]*; do
    program=$(readlink "$process/exe" 2>/dev/null) || continue
    case $program in "$PWD/.cache/"* | "$PWD/.venv/"*)
        echo "clean: ${program##*/} (process ${process#/proc/}) still runs from this folder; stop it first (Ctrl-C in 'make up')" >&2
        exit 1
        ;;
    esac
done
rm -rf .venv .cache var dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
find . -name .git -prune -o -type d \( -name __pycache__ -o -name '*.egg-info' \) -prune -exec rm -rf {} +
