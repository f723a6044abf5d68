#!/bin/sh
# Stand a stack up, benchmark it, tear it down, whatever happens in between.
#
#   pipeline.sh STACK JOB NAMESPACE
#
# STACK is a file of manifests for kubectl, JOB a job file, NAMESPACE where the stack goes.
# Exit code: 0 only if every run of the job succeeded and the stack is gone; 1 not all did, or
# it is no job file;
# 2 and 3 as `llmdbenchd submit --help` says; 143 this script was ended (the job is cancelled);
# else kubectl's own. The id of the job and its results are on stdout.
set -eu
stack=$1 job=$2 namespace=$3
work=$(mktemp -d)
waiting=

stack() { kubectl --namespace "$namespace" "$@"; }

tear_down() {
    code=$?
    trap - EXIT
    trap '' HUP INT TERM # not ended half-way
    if ! stack delete --ignore-not-found --filename "$stack" >&2 && [ "$code" -eq 0 ]; then
        code=1
    fi
    rm -r "$work"
    exit "$code"
}

ended() {
    trap - HUP INT TERM
    [ -z "$waiting" ] || kill "$waiting" 2>/dev/null || true
    if [ -s "$work/id" ]; then llmdbenchd cancel "$(cat "$work/id")" >&2 || true; fi
    exit 143
}

trap tear_down EXIT
trap ended HUP INT TERM

# up
stack apply --filename "$stack" >&2
stack wait deployment --all --for=condition=Available --timeout=30m >&2

# benchmarked: in the background, since a shell hears of a signal only between commands
llmdbenchd submit --wait "$job" >"$work/id" &
waiting=$!
code=0
wait "$waiting" || code=$?
waiting=
if [ -s "$work/id" ]; then
    id=$(cat "$work/id")
    echo "$id"
    llmdbenchd results "$id" || true # there are none of a job that was rejected
fi
exit "$code"
