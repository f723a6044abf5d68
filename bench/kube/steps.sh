# The kubectl steps of the script that we replace, for one launcher, in its order.
#
#   steps.sh NAMESPACE LAUNCHER PROFILES SHELF POD FOLDER RESULTS COUNT
#
# LAUNCHER, PROFILES and SHELF are files for `kubectl apply`; POD is the launcher's name,
# FOLDER where it writes below /requests, RESULTS where that is copied to, and COUNT a file
# that gets a byte for each kubectl. Left out are the look-up of the endpoint and the check of
# the model by a pod of its own, as there is no model server here; both take more time.
namespace=$1 launcher=$2 profiles=$3 shelf=$4 pod=$5 folder=$6 results=$7 count=$8

k() {
    printf . >>"$count"
    kubectl --namespace "$namespace" "$@"
}

# where we are, and what may be done there
k config view --minify --flatten --raw >"$results.context"
k get nodes --output name >/dev/null
k auth can-i '*' '*' --all-namespaces || true

# the namespace is prepared: each object is applied if it is absent
k get namespace "$namespace" >/dev/null
k get secret llm-d-hf-token --ignore-not-found
k get persistentvolumeclaim workload-pvc >/dev/null
k get pod shelf --ignore-not-found
k apply --filename "$shelf"
k get service llm-d-benchmark-harness --ignore-not-found
k delete configmap llm-d-benchmark-preprocesses --ignore-not-found
k create configmap llm-d-benchmark-preprocesses --from-literal=none=none
k wait --for=condition=Ready --timeout=120s pod/shelf

# the profiles, and the launcher
k delete configmap inference-perf-profiles --ignore-not-found
k create configmap inference-perf-profiles --from-file="$profiles"
k get configmap llm-d-benchmark-standup-parameters --ignore-not-found
k get persistentvolumeclaim workload-pvc >/dev/null
k apply --filename "$launcher"

# wait for its start, wait for its end, look for a crash
k wait --for=condition=Ready=True --timeout=900s "pod/$pod"
k wait --for=condition=Ready=False --timeout=900s "pod/$pod"
k get pods --no-headers >"$results.pods"

# results home, and away with everything
shelf=$(k get pods --selector=role=llm-d-benchmark-data-access --output='jsonpath={.items[0].metadata.name}')
k cp --retries=5 "$shelf:/requests/$folder" "$results"
k get pods --output wide >"$results/pod_status.txt"
k delete --ignore-not-found --filename "$launcher"
k delete pod --selector=role=llm-d-benchmark-data-access
