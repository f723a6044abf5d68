"""The test cluster's configuration files, written anew at each start.

Comments say what was seen to fail without a setting.
"""

import json

from tests.cluster import certificates
from tests.cluster.layout import (
    API_ADDRESS,
    DOMAIN,
    EVERYWHERE,
    HARD_CODED,
    NODE,
    NODE_ADDRESS,
    PAUSE,
    POD_NETWORK,
    Layout,
    Settings,
    cgroup,
    write,
    write_json,
)
from tests.cluster.machine import CNI_PLUGINS

_UNUSED = (
    *("snapshotter.v1.btrfs", "snapshotter.v1.zfs", "snapshotter.v1.devmapper"),
    *("snapshotter.v1.aufs", "internal.v1.opt"),
)


def write_all(layout: Layout, settings: Settings) -> None:
    """Make folders, identities and every configuration file of a cluster."""
    for name in ("run", "logs", "etcd", "kubelet-plugins", "volumes", *HARD_CODED):
        (layout.state / name).mkdir(parents=True, exist_ok=True)
    (layout.state / "etcd").chmod(0o700)
    certificates.make(layout.pki, addresses=("127.0.0.1", NODE_ADDRESS, API_ADDRESS))
    for user, token in certificates.tokens(layout.pki).items():
        content = _kubeconfig(layout, user, {"token": token})
        write_json(layout.kubeconfig(user), content, mode=0o600)
    pair = {"client-certificate": "admin.crt", "client-key": "admin.key"}
    files = {key: str(layout.pki / name) for key, name in pair.items()}
    by_certificate = _kubeconfig(layout, "admin-certificate", files)
    write_json(layout.kubeconfig("admin-certificate"), by_certificate, mode=0o600)
    write(layout.state / "containerd.toml", _containerd(layout, settings))
    write(layout.state / "Corefile", _corefile(layout))
    # Cluster names are not known on the node, as on a bastion; nobody waits for an answer.
    write(layout.state / "resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
    write_json(layout.state / "cni/conf/10-bridge.conflist", _network())
    write_json(layout.state / "kubelet.yaml", _kubelet(layout, settings))
    write_json(layout.state / "proxy.yaml", _proxy(layout))
    write_json(layout.audit_policy, _audit())


def _kubeconfig(layout: Layout, user: str, credentials: dict[str, str]) -> dict[str, object]:
    authority = str(layout.pki / "ca.crt")
    server = {"server": "https://127.0.0.1:443", "certificate-authority": authority}
    context = {"cluster": "test", "user": user, "namespace": "default"}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": server}],
        "users": [{"name": user, "user": credentials}],
        "contexts": [{"name": "test", "context": context}],
        "current-context": "test",
    }


def _containerd(layout: Layout, settings: Settings) -> str:
    """Without `restrict_oom_score_adj` no pod starts where CAP_SYS_RESOURCE is missing."""
    return f"""version = 2
root = "{layout.state}/containerd"
state = "/run/containerd"
disabled_plugins = {json.dumps([f"io.containerd.{name}" for name in _UNUSED])}
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE}"
  disable_apparmor = true
  netns_mounts_under_state_dir = true
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "{settings.snapshotter}"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
    SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{CNI_PLUGINS}"
    conf_dir = "{layout.state}/cni/conf"
"""


def _corefile(layout: Layout) -> str:
    """No stock role lets a name server read namespaces, so it reads as the administrator."""
    return f""".:53 {{
  bind {NODE_ADDRESS}
  errors
  ready 127.0.0.1:8181
  kubernetes {DOMAIN} in-addr.arpa {{
    kubeconfig {layout.kubeconfig()}
  }}
}}
"""


def _network() -> dict[str, object]:
    ipam = {
        "type": "host-local",
        "ranges": [[{"subnet": POD_NETWORK, "gateway": NODE_ADDRESS}]],
        "routes": [{"dst": f"{EVERYWHERE}/0"}],
    }
    bridge = {
        "type": "bridge",
        "bridge": "cni0",
        "isGateway": True,
        "hairpinMode": True,  # a pod reaches itself by its Service
        "ipam": ipam,
    }
    portmap = {"type": "portmap", "capabilities": {"portMappings": True}}
    return {"cniVersion": "0.4.0", "name": "bridge", "plugins": [bridge, portmap]}


def _kubelet(layout: Layout, settings: Settings) -> dict[str, object]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": EVERYWHERE,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(layout.pki / "ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{cgroup(settings)}",
        "cpuCFSQuota": not settings.measured,
        "failSwapOn": False,
        "failCgroupV1": False,
        "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
        "containerLogMaxSize": settings.log_max_size,
        "containerLogMaxFiles": 3,
        "containerLogMonitorInterval": settings.log_interval,
        "evictionHard": {
            "memory.available": "50Mi",
            "nodefs.available": "0%",
            "nodefs.inodesFree": "0%",
            "imagefs.available": "0%",
        },
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "makeIPTablesUtilChains": False,
        "maxPods": 110,
        "readOnlyPort": 0,
        "resolvConf": "",
        "clusterDNS": [NODE_ADDRESS],
        "clusterDomain": DOMAIN,
        "serializeImagePulls": False,
        "kubeAPIQPS": 100,
        "kubeAPIBurst": 200,
        "nodeLeaseDurationSeconds": 4,  # this and the next: NotReady within seconds
        "nodeStatusUpdateFrequency": "1s",
        "volumePluginDir": str(layout.state / "kubelet-plugins"),  # else one on the machine
    }


def _audit() -> dict[str, object]:
    """Each request once, when it is answered; the cluster's own are left out."""
    return {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived", "ResponseStarted"],
        "omitManagedFields": True,
        "rules": [
            {"level": "None", "userGroups": ["system:serviceaccounts:kube-system"]},
            {"level": "Metadata", "userGroups": ["system:serviceaccounts"]},
            {"level": "Metadata", "users": ["test-admin"]},
            {"level": "None"},
        ],
    }


def _proxy(layout: Layout) -> dict[str, object]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "clientConnection": {"kubeconfig": str(layout.kubeconfig("proxy"))},
        "clusterCIDR": POD_NETWORK,
        "hostnameOverride": NODE,
        "conntrack": {  # the machine's limits are none of ours
            "maxPerCore": 0,
            "min": 0,
            "tcpEstablishedTimeout": "0s",
            "tcpCloseWaitTimeout": "0s",
        },
    }
