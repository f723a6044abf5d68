"""The room's centre: everything that a job file can say, as one frozen value."""

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

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
from llmdbenchd.core.job.treatments import Treatment, constants_of, read_treatments, treatments_of
from llmdbenchd.core.job.words import (
    Endpoint,
    JobId,
    MethodNames,
    ModelNames,
    Namespace,
    Scenario,
    VariableName,
    VariableValue,
    Version,
)

MOST_RUNS = 10_000
_EXPERIMENT = WithJsonSchema(
    {
        "anyOf": [
            {"type": "string"},
            {"type": "object"},
            {"type": "array", "items": {"type": "object"}},
        ]
    }
)


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
    scenario: Scenario | None = None
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
    treatments: Annotated[TextOrMapping, BeforeValidator(read_treatments), _EXPERIMENT] | None = (
        None
    )
    repeat: Count = 1
    timeouts: Timeouts = Field(default_factory=Timeouts)
    fail_above: Fraction = 0.99
    storage: Storage = Field(default_factory=Storage)
    skip_run: Flag = False
    collect_all: Flag = False
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
    def given_variables(self) -> dict[str, str]:
        """The variables that were given by their own names, each with its strongest value.

        An empty one counts as not given. A scenario that is only named has none: it was not
        read.
        """
        scenario = {} if self.scenario is None or isinstance(self.scenario, str) else self.scenario
        return {
            name: value
            for layer in (self.submitted_environment, scenario, self.variables)
            for name, value in layer.items()
            if value
        }

    @property
    def experiment(self) -> tuple[Treatment, ...]:
        """The job's treatments; none where it has none, or a file of them was not read."""
        return treatments_of(self.treatments)

    @property
    def cells(self) -> int:
        """How many runs the job makes; what lies on a claim is collected once."""
        if self.skip_run and self.collect_all:
            return 1
        methods = 1 if self.endpoint else len(self.methods)
        return len(self.models) * methods * max(1, len(self.experiment)) * self.repetitions

    @property
    def repetitions(self) -> int:
        """How often each cell is run; what lies on a claim is collected once."""
        return 1 if self.skip_run else self.repeat

    def changes(self, treatment: str) -> tuple[Mapping[str, object], ...]:
        """What changes the workload of a treatment's runs, layer by layer; the last wins.

        As in the field, the job's own `overrides` come last.
        """
        own = [one.changes for one in self.experiment if one.name == treatment]
        return (constants_of(self.treatments), *own, self.overrides)

    @model_validator(mode="after")
    def _of_sensible_size(self) -> Self:
        if self.cells > MOST_RUNS:
            message = f"the job would make {self.cells} runs; at most {MOST_RUNS} are possible"
            raise mistake(message, "split it into several jobs", at=("repeat",))
        return self
