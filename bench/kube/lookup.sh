# What the script that we replace asks a cluster before it launches anything, in its order: the
# endpoint by label, the model by a pod of its own, the workload rendered by sed.
#
#   lookup.sh STACK LAUNCHERS MODEL IMAGE POD PROFILE RENDERED COUNT
#
# STACK and LAUNCHERS are namespaces; COUNT is a file that gets a byte for each kubectl. The
# image lies on the node already: the script pulls its own, some gigabytes, each time.
stack=$1 launchers=$2 model=$3 image=$4 pod=$5 profile=$6 rendered=$7 count=$8

k() {
    printf . >>"$count"
    kubectl "$@"
}

name=$(k --namespace "$stack" get service --selector=stood-up-via=standalone \
    --output='jsonpath={.items[0].metadata.name}')
url=http://$name.$stack.svc.cluster.local:80
ask="import urllib.request as r; print(r.urlopen('$url/v1/models').read().decode())"
said=$(k --namespace "$launchers" run "$pod" --image="$image" --attach --restart=Never --rm \
    --quiet --command -- python3 -c "$ask")
case $said in
*"\"id\":\"$model\""* | *"\"id\": \"$model\""*) ;;
*) echo "$url serves $said" && exit 1 ;;
esac
sed "s^REPLACE_ENV_LLMDBENCH_DEPLOY_CURRENT_MODEL^$model^g
s^REPLACE_ENV_LLMDBENCH_HARNESS_STACK_ENDPOINT_URL^$url^g" "$profile" >"$rendered"
