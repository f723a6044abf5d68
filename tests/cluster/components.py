"""The test cluster's components: the command of each, in the order of their start."""

from tests.cluster.layout import (
    EVERYWHERE,
    NODE,
    NODE_ADDRESS,
    SERVICE_NETWORK,
    Layout,
    Settings,
)

FIRST = ("etcd", "containerd", "kube-apiserver")  # the others wait until the API server is ready
NAMES = (
    *FIRST,
    *("kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "coredns"),
)
_FAST = (  # at the default of 20 requests a second the controllers take 6 s longer to start
    *("--kube-api-qps=500", "--kube-api-burst=1000"),
    *("--leader-elect=false", "--bind-address=127.0.0.1"),
)
_ETCD = "http://127.0.0.1:2379"
_ETCD_PEER = "http://127.0.0.1:2380"


def commands(layout: Layout, settings: Settings) -> dict[str, list[str]]:
    """What is run for each component of `NAMES`."""
    state, kube = layout.state, settings.kube
    found = {
        "etcd": [kube, "etcd", *_etcd(layout)],
        "containerd": ["containerd", "--config", f"{state}/containerd.toml"],
        "kube-apiserver": [kube, "kube-apiserver", *_apiserver(layout, settings)],
        "kube-controller-manager": [kube, "kube-controller-manager", *_controllers(layout)],
        "kube-scheduler": [
            *(kube, "kube-scheduler", f"--kubeconfig={layout.kubeconfig('scheduler')}", *_FAST),
        ],
        "kubelet": [
            *(kube, "kubelet", f"--kubeconfig={layout.kubeconfig('kubelet')}"),
            *(f"--config={state}/kubelet.yaml", f"--hostname-override={NODE}"),
            *(f"--node-ip={NODE_ADDRESS}", f"--cert-dir={state}/kubelet-pki"),
        ],
        "kube-proxy": [kube, "kube-proxy", f"--config={state}/proxy.yaml"],
        "coredns": [settings.dns, "-conf", f"{state}/Corefile"],
    }
    return {name: found[name] for name in NAMES}


def _etcd(layout: Layout) -> list[str]:
    return [
        *("--name=test", f"--data-dir={layout.state}/etcd", "--log-level=warn"),
        "--unsafe-no-fsync",
        *(f"--listen-client-urls={_ETCD}", f"--advertise-client-urls={_ETCD}"),
        *(f"--listen-peer-urls={_ETCD_PEER}", f"--initial-advertise-peer-urls={_ETCD_PEER}"),
        f"--initial-cluster=test={_ETCD_PEER}",
    ]


def _apiserver(layout: Layout, settings: Settings) -> list[str]:
    pki = layout.pki
    audit = (
        f"--audit-policy-file={layout.audit_policy}",
        f"--audit-log-path={layout.audit_log}",
    )
    return [
        *(audit if settings.measured else ()),
        *(f"--etcd-servers={_ETCD}", f"--bind-address={EVERYWHERE}", "--secure-port=443"),
        *(f"--advertise-address={NODE_ADDRESS}", f"--service-cluster-ip-range={SERVICE_NETWORK}"),
        *(f"--tls-cert-file={pki}/apiserver.crt", f"--tls-private-key-file={pki}/apiserver.key"),
        *(f"--client-ca-file={pki}/ca.crt", f"--token-auth-file={pki}/tokens.csv"),
        f"--kubelet-client-certificate={pki}/apiserver-kubelet.crt",
        f"--kubelet-client-key={pki}/apiserver-kubelet.key",
        "--kubelet-preferred-address-types=InternalIP",
        "--authorization-mode=Node,RBAC",
        f"--service-account-key-file={pki}/sa.pub",
        f"--service-account-signing-key-file={pki}/sa.key",
        "--service-account-issuer=https://kubernetes.default.svc",
        *("--allow-privileged=true", "--profiling=false"),
    ]


def _controllers(layout: Layout) -> list[str]:
    """With the default of 15 s for claims, eight of them were not bound after 110 s."""
    pki = layout.pki
    return [
        *(f"--kubeconfig={layout.kubeconfig('kcm')}", *_FAST),
        *(f"--service-account-private-key-file={pki}/sa.key", f"--root-ca-file={pki}/ca.crt"),
        "--use-service-account-credentials=true",
        "--pvclaimbinder-sync-period=1s",
        *("--node-monitor-grace-period=6s", "--node-monitor-period=1s"),
    ]
