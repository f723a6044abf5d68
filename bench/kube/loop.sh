# What people write in a shell for launchers that they have: one after the other.
#
#   loop.sh NAMESPACE FILES RESULTS NAME...
#
# FILES holds NAME.json for `kubectl apply`, NAME.pod the pod's name, and NAME.folder the
# folder below /requests that it writes to.
namespace=$1 files=$2 results=$3
shift 3

k() {
    kubectl --namespace "$namespace" "$@"
}

for name; do
    pod=$(cat "$files/$name.pod") folder=$(cat "$files/$name.folder")
    k apply --filename "$files/$name.json"
    k wait --for='jsonpath={.status.phase}=Succeeded' --timeout=300s "pod/$pod"
    k logs "$pod" >"$results/$name.log"
    k cp "shelf:/requests/$folder" "$results/$name"
    k delete --filename "$files/$name.json"
done
