#!/bin/sh
# The end-to-end tests' cluster where a Docker engine and kind are: kind.sh up|down KUBECONFIG
# Its images are those of our own test cluster; nothing is pulled but kind's node. The caller's
# own kubeconfig is not touched: KUBECONFIG gets what leads to this cluster, and only that.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
name=${KIND_CLUSTER:-llmdbenchd-e2e}
kubeconfig=${2:?kind.sh up|down KUBECONFIG: where the kubeconfig of the cluster is}

case $1 in
up)
    umask 077 # it is the key to the cluster
    if kind get clusters | grep -Fqx "$name"; then
        kind get kubeconfig --name "$name" >"$kubeconfig"
    else
        kind create cluster --name "$name" --config "$here/kind.yaml" --wait 120s \
            --kubeconfig "$kubeconfig"
    fi
    # Claims without a class are to get the volumes that tests reserve for them.
    docker exec "$name-control-plane" kubectl --kubeconfig /etc/kubernetes/admin.conf \
        delete storageclass standard --ignore-not-found
    archives=$(mktemp -d)
    trap 'rm -rf "$archives"' EXIT
    (cd "$root" && .venv/bin/python -m tests.cluster images --into "$archives")
    for image in busybox python launcher simulator; do
        kind load image-archive --name "$name" "$archives/$image.tar"
    done
    ;;
down)
    kind delete cluster --name "$name" --kubeconfig "$kubeconfig"
    rm -f "$kubeconfig"
    ;;
*)
    echo "kind.sh up|down KUBECONFIG" >&2
    exit 2
    ;;
esac
