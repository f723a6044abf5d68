"""The room's centre: everything that a job file can say, as one frozen value."""

from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator

from llmdbenchd.core.job.kinds import (
    Count,
    EngineName,
    Flag,
    Fraction,
    Instant,
    OrText,
    Priority,
    Text,
    TextOrMapping,
    Texts,
)
from llmdbenchd.core.job.mistakes import mistake
from llmdbenchd.core.job.overrides_text import read_overrides
from llmdbenchd.core.job.parts import (
    Dataset,
    Harness,
    HuggingFaceToken,
    Nop,
    Retry,
    SecretKey,
    Section,
    Storage,
    Timeouts,
)
from llmdbenchd.core.job.words import (
    Endpoint,
    JobId,
    MethodNames,
    ModelNames,
    Namespace,
    VariableName,
    VariableValue,
    Version,
)

MOST_RUNS = 10_000


def _harness(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


class JobSpec(Section):
    """A job with every value known. `variables.TABLE` says what each field means."""

    id: JobId | None = None
    name: Text | None = None
    description: Text | None = None
    keywords: Texts = ()
    priority: Priority = 0
    not_before: Instant | None = None
    engine: EngineName = "auto"
    scenario: TextOrMapping | None = None
    models: ModelNames = ("meta-llama/Llama-3.2-1B-Instruct",)
    methods: MethodNames = ("modelservice",)
    endpoint: Endpoint | None = None
    namespace: Namespace = "llmdbench"
    harness: Annotated[Harness, BeforeValidator(_harness), OrText()] = Field(
        default_factory=Harness
    )
    workload: TextOrMapping | None = None
    overrides: Annotated[dict[str, object], BeforeValidator(read_overrides), OrText()] = Field(
        default_factory=dict
    )
    treatments: TextOrMapping | None = None
    repeat: Count = 1
    timeouts: Timeouts = Field(default_factory=Timeouts)
    fail_above: Fraction = 0.99
    storage: Storage = Field(default_factory=Storage)
    skip_run: Flag = False
    analyze_locally: Flag = False
    dataset: Dataset = Field(default_factory=Dataset)
    dry_run: Flag = False
    retry: Retry = Field(default_factory=Retry)
    stop_on_error: Flag = False
    keep_going: Flag = False
    share_target: Flag = False
    nop: Nop = Field(default_factory=Nop)
    follow_servers: Flag = False
    endpoint_auth: SecretKey | None = None
    hf_token: HuggingFaceToken | None = None
    variables: dict[VariableName, VariableValue] = Field(default_factory=dict)
    submitted_environment: dict[VariableName, VariableValue] = Field(default_factory=dict)
    version: Version = 1

    @property
    def harness_namespace(self) -> str:
        """Where launchers go."""
        return self.harness.namespace or self.namespace

    @property
    def cells(self) -> int:
        """How many runs the job makes, treatments apart."""
        methods = 1 if self.endpoint else len(self.methods)
        return len(self.models) * methods * self.repeat

    @model_validator(mode="after")
    def _of_sensible_size(self) -> Self:
        if self.cells > MOST_RUNS:
            message = f"the job would make {self.cells} runs; at most {MOST_RUNS} are possible"
            raise mistake(message, "split it into several jobs", at=("repeat",))
        return self
