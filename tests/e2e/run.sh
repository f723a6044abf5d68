#!/bin/sh
# The tests on the cluster around this: most of them at once, for they wait more than they work,
# then one after the other those that disturb all of it. Arguments are pytest's, and run as given.
set -u
if [ $# -gt 0 ]; then
    exec pytest -q "$@"
fi
code=0
pytest -q -m "kube and not alone" -n "${E2E_AT_ONCE:-3}" --dist loadscope || code=$?
pytest -q -m "kube and alone" || code=$?
exit $code
