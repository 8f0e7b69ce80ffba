"""Reports one run of the transformation with the OpenLineage client: what it read and wrote, and
which column was made from which. The column lineage is read out of `features.sql` by OpenLineage's
own SQL parser, so that nobody has to keep it up to date by hand."""

import getpass
import subprocess
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from uuid import uuid4

import duckdb
from openlineage.client import OpenLineageClient
from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.facet_v2 import (
    column_lineage_dataset as lineage,
    dataset_version_dataset as dataset_version,
    input_statistics_input_dataset as input_statistics,
    job_type_job,
    lifecycle_state_change_dataset as lifecycle,
    output_statistics_output_dataset as output_statistics,
    ownership_job,
    processing_engine_run,
    schema_dataset,
    source_code_location_job,
    sql_job,
)
from openlineage_sql import parse

from features import SQL_FILE, digest

REPOSITORY = Path(__file__).parent


class TransformationReport:
    """Sends START on entering, COMPLETE on leaving, FAIL when the block raised."""

    def __init__(self, source: Path, outputs: list[Path]):
        # Where to: OPENLINEAGE_URL in the environment.
        self.client = OpenLineageClient()
        self.run = Run(runId=str(uuid4()), facets={"processing_engine": engine()})
        self.job = Job(namespace="credit-risk", name="transform", facets=job_facets())
        self.source = source
        self.outputs = {file: OutputDataset("file", str(file)) for file in outputs}

    def __enter__(self) -> "TransformationReport":
        self.send(RunState.START)
        return self

    def wrote(self, file: Path, rows: int, columns: dict[str, object]) -> None:
        """Describes a file that has just been written."""
        change = lifecycle.LifecycleStateChange.OVERWRITE
        self.outputs[file] = OutputDataset(
            namespace="file",
            name=str(file),
            facets={
                "schema": schema(columns),
                "version": dataset_version.DatasetVersionDatasetFacet(digest(file)),
                "lifecycleStateChange": lifecycle.LifecycleStateChangeDatasetFacet(change),
                "columnLineage": column_lineage(self.source),
            },
            outputFacets={
                "outputStatistics": output_statistics.OutputStatisticsOutputDatasetFacet(
                    rowCount=rows, size=file.stat().st_size
                )
            },
        )

    def __exit__(self, error_type, *_) -> None:
        self.send(RunState.COMPLETE if error_type is None else RunState.FAIL)

    def send(self, state: RunState) -> None:
        event = RunEvent(
            eventType=state,
            eventTime=datetime.now(timezone.utc).isoformat(),
            run=self.run,
            job=self.job,
            inputs=[describe_source(self.source)],
            outputs=list(self.outputs.values()),
        )
        self.client.emit(event)


def describe_source(source: Path) -> InputDataset:
    table = duckdb.read_csv(str(source))
    return InputDataset(
        namespace="file",
        name=str(source),
        facets={
            "schema": schema(dict(zip(table.columns, table.types))),
            "version": dataset_version.DatasetVersionDatasetFacet(digest(source)),
        },
        inputFacets={
            "inputStatistics": input_statistics.InputStatisticsInputDatasetFacet(
                rowCount=len(table), size=source.stat().st_size
            )
        },
    )


def schema(columns: dict[str, object]) -> schema_dataset.SchemaDatasetFacet:
    fields = [
        schema_dataset.SchemaDatasetFacetFields(name=name, type=str(type_))
        for name, type_ in columns.items()
    ]
    return schema_dataset.SchemaDatasetFacet(fields=fields)


def column_lineage(source: Path) -> lineage.ColumnLineageDatasetFacet:
    """Each output column with the source columns that its expression in the SQL uses."""
    fields = {}
    for column in parse([SQL_FILE.read_text()], dialect="duckdb").column_lineage:
        name, origins = column.descendant.name, [origin.name for origin in column.lineage]
        subtype = "IDENTITY" if origins == [name] else "TRANSFORMATION"
        how = lineage.Transformation(type="DIRECT", subtype=subtype)
        inputs = [lineage.InputField("file", str(source), origin, [how]) for origin in origins]
        fields[name] = lineage.Fields(inputFields=inputs)
    return lineage.ColumnLineageDatasetFacet(fields=fields)


def engine() -> processing_engine_run.ProcessingEngineRunFacet:
    return processing_engine_run.ProcessingEngineRunFacet(
        name="DuckDB",
        version=version("duckdb"),
        openlineageAdapterVersion=version("openlineage-python"),
    )


def job_facets() -> dict[str, object]:
    return {
        "jobType": job_type_job.JobTypeJobFacet("BATCH", "PYTHON", "SCRIPT"),
        "sql": sql_job.SQLJobFacet(query=SQL_FILE.read_text()),
        "sourceCodeLocation": code_location(),
        "ownership": ownership_job.OwnershipJobFacet(
            owners=[ownership_job.Owner(name=getpass.getuser(), type="MAINTAINER")]
        ),
    }


def code_location() -> source_code_location_job.SourceCodeLocationJobFacet:
    """The script in git at the current commit; without git only the script."""
    commit = git("rev-parse", "HEAD")
    return source_code_location_job.SourceCodeLocationJobFacet(
        type="git" if commit else "file",
        url=REPOSITORY.as_uri(),
        path="transform.py",
        version=commit,
        branch=git("branch", "--show-current"),
    )


def git(*arguments: str) -> str | None:
    try:
        command = ["git", "-C", str(REPOSITORY), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
