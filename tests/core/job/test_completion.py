"""What the settings say is fixed when the job is taken."""

from llmdbenchd.core.job.completion import completed
from llmdbenchd.core.job.jobfile import Reading, read_job


def read(text: str = "endpoint: http://h\n", engine: str = "kubernetes") -> Reading:
    reading = read_job(text.encode(), stem="x", environment={})
    return completed(reading, engine=engine, image="setting/image:1", namespace="bench")


def test_a_job_that_names_neither_gets_the_settings_image_and_namespace() -> None:
    reading = read()

    assert reading.spec is not None
    assert reading.spec == reading.best
    assert reading.spec.harness.image == "setting/image:1"
    assert reading.spec.harness_namespace == "bench"
    assert reading.values["harness.image"].value == "setting/image:1"
    assert reading.values["namespace"].origin == "default"


def test_what_the_job_says_stays() -> None:
    reading = read("endpoint: http://h\nnamespace: mine\nharness: {image: my/image:2}\n")

    assert reading.spec is not None
    assert reading.spec.harness.image == "my/image:2"
    assert reading.spec.namespace == "mine"


def test_a_namespace_that_no_setting_names_is_the_eras() -> None:
    plain = read_job(b"{}", stem="x", environment={})

    reading = completed(plain, engine="kubernetes", image="i", namespace=None)

    assert reading.spec is not None
    assert reading.spec.namespace == "llmdbench"


def test_a_process_has_no_image_and_a_file_that_is_no_job_nothing_at_all() -> None:
    local = read(engine="local")

    assert local.spec is not None
    assert local.spec.harness.image is None
    assert read("[").best is None


def test_a_job_with_mistakes_is_completed_for_its_explanation() -> None:
    reading = read("endpoint: http://h\nrepeat: x\n")

    assert reading.spec is None
    assert reading.best is not None
    assert reading.best.harness.image == "setting/image:1"
