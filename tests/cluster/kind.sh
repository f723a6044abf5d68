#!/bin/sh
# The end-to-end tests' cluster where a Docker engine and kind are: kind.sh up KUBECONFIG | down
# Its images are those of our own test cluster; nothing is pulled but kind's node.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
name=${KIND_CLUSTER:-llmdbenchd-e2e}

case ${1:-} in
up)
    kubeconfig=${2:?kind.sh up KUBECONFIG: where the kubeconfig is to be written}
    kind get clusters | grep -qx "$name" ||
        kind create cluster --name "$name" --config "$here/kind.yaml" --wait 120s
    kind get kubeconfig --name "$name" >"$kubeconfig"
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
    kind delete cluster --name "$name"
    ;;
*)
    echo "kind.sh up KUBECONFIG | down" >&2
    exit 2
    ;;
esac
