"""The job file's sections: frozen models with every default of the contract."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from llmdbenchd.core.job.kinds import (
    AccessMode,
    Count,
    Flag,
    LoggingLevel,
    Object,
    Patience,
    Port,
    Seconds,
    StorageMode,
    Text,
)
from llmdbenchd.core.job.mistakes import mistake
from llmdbenchd.core.job.words import (
    HarnessName,
    Image,
    Namespace,
    ObjectName,
    ObjectNames,
    PodVariableName,
    Prefixes,
    Quantity,
    VariableValue,
)
from llmdbenchd.core.launch.plan import DEFAULT_EXECUTABLE


class Section(BaseModel):
    """What all sections have in common: they never change, and know their keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _executable(value: object) -> object:
    if isinstance(value, str) and ("\0" in value or value.strip() == "image:"):
        raise mistake("names no program", "write a program, or image:NAME")
    return value


class Harness(Section):
    """`harness`: the load generator, and the launchers that execute it."""

    name: HarnessName = "inference-perf"
    namespace: Namespace | None = None
    executable: Annotated[Text, BeforeValidator(_executable)] = DEFAULT_EXECUTABLE
    image: Image | None = None
    conda_env: Text | None = None
    wait_timeout: Seconds = 3600
    cpu: Quantity = "16"
    memory: Quantity = "32Gi"
    parallelism: Count = 1
    stagger: Seconds = 0
    env_to_pod: Prefixes = ("LLMDBENCH_RUN_EXPERIMENT",)
    debug: Flag = False
    service_account: ObjectName | None = None
    image_pull_secrets: ObjectNames = ()
    node_selector: dict[Text, VariableValue] = Field(default_factory=dict)
    tolerations: tuple[Object, ...] = ()
    priority_class: ObjectName | None = None
    env: dict[PodVariableName, VariableValue] = Field(default_factory=dict)


class Storage(Section):
    """`storage`: the claim that takes the results on a cluster."""

    claim: ObjectName = "workload-pvc"
    size: Quantity = "20Gi"
    class_: Annotated[ObjectName | None, Field(alias="class")] = None
    access: AccessMode = "ReadWriteMany"
    mode: StorageMode = "claim"


class Timeouts(Section):
    """`timeouts`: patience with each step, in seconds."""

    bind: Patience = 240
    pull: Patience = 1800
    target: Patience = 900
    start: Patience = 900
    collect: Patience = 3600


class Retry(Section):
    """`retry`: how often an attempt is made, and seconds before the second."""

    attempts: Count = 1
    delay: Seconds = 30


def _downloadable(value: object) -> object:
    if isinstance(value, str) and not value.startswith(("http://", "https://")):
        raise mistake("is no URL that a launcher can fetch", "write http://... or https://...")
    return value


class Dataset(Section):
    """`dataset`: what the launcher downloads."""

    url: Annotated[Text, BeforeValidator(_downloadable)] | None = None
    dir: Text | None = None


class Nop(Section):
    """`nop`: what the harness nop expects of the server under test."""

    load_format: Text = "auto"
    sleep_mode: Flag = False
    logging_level: LoggingLevel = "INFO"
    preprocess: Text = "/bin/true"
    launcher: Flag = False
    launcher_port: Port = 8001
    launcher_vllm_port: Port = 8002
    restart: Flag = False
    repeat: Count = 1


class SecretKey(Section):
    """A reference to a key of a secret, never its value."""

    secret: ObjectName
    key: Text


class HuggingFaceToken(Section):
    """`hf_token`: a reference; secret and key have usual names."""

    secret: ObjectName = "llm-d-hf-token"  # noqa: S105 - the name of a secret, not its value
    key: Text = "HF_TOKEN"
