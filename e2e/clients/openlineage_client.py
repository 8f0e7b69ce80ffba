"""Drives a server with the unmodified OpenLineage Python client.

Usage: openlineage_client.py URL API_KEY RUN_ID. Sends a job and a dataset event, then a run whose
COMPLETE names only the output, and that COMPLETE a second time.
"""

import sys
from datetime import datetime, timezone

from openlineage.client import OpenLineageClient
from openlineage.client.event_v2 import (
    Dataset,
    DatasetEvent,
    InputDataset,
    Job,
    JobEvent,
    OutputDataset,
    Run,
    RunEvent,
    RunState,
)
from openlineage.client.facet_v2 import (
    column_lineage_dataset,
    documentation_dataset,
    lifecycle_state_change_dataset,
    output_statistics_output_dataset,
    ownership_job,
    parent_run,
    schema_dataset,
    source_code_location_job,
    symlinks_dataset,
)
from openlineage.client.transport.http import (
    ApiKeyTokenProvider,
    HttpCompression,
    HttpConfig,
    HttpTransport,
)

url, key, run_id = sys.argv[1:]
producer = "https://example.com/wherefrom-test"
config = HttpConfig(
    url=url,
    auth=ApiKeyTokenProvider({"apiKey": key}),
    compression=HttpCompression.GZIP,
)
client = OpenLineageClient(transport=HttpTransport(config))


def now() -> str:
    return datetime.now(timezone.utc).isoformat()


def fields(*names: str) -> schema_dataset.SchemaDatasetFacet:
    return schema_dataset.SchemaDatasetFacet(
        fields=[schema_dataset.SchemaDatasetFacetFields(name=name, type="int") for name in names]
    )


source = InputDataset(
    namespace="postgres://db.example.com:5432",
    name="shop.public.applicants",
    facets={"schema": fields("id", "age", "amount")},
)
features = OutputDataset(
    namespace="s3://lake",
    name="features/applicants.parquet",
    facets={
        "schema": fields("id", "age_group"),
        "symlinks": symlinks_dataset.SymlinksDatasetFacet(
            identifiers=[
                symlinks_dataset.Identifier(namespace="hive://meta:9083", name="ml.applicants", type="TABLE")
            ]
        ),
        "lifecycleStateChange": lifecycle_state_change_dataset.LifecycleStateChangeDatasetFacet(
            lifecycleStateChange=lifecycle_state_change_dataset.LifecycleStateChange.OVERWRITE
        ),
        "columnLineage": column_lineage_dataset.ColumnLineageDatasetFacet(
            fields={
                "age_group": column_lineage_dataset.Fields(
                    inputFields=[
                        column_lineage_dataset.InputField(
                            namespace=source.namespace,
                            name=source.name,
                            field="age",
                            transformations=[
                                column_lineage_dataset.Transformation(
                                    type="DIRECT", subtype="TRANSFORMATION", description="age / 10", masking=False
                                )
                            ],
                        )
                    ]
                )
            }
        ),
    },
    outputFacets={
        "outputStatistics": output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(rowCount=1000, size=4096)
    },
)
job = Job(
    namespace="prep",
    name="applicants.features",
    facets={
        "ownership": ownership_job.OwnershipJobFacet(owners=[ownership_job.Owner(name="Ada Lovelace", type="OWNER")]),
        "sourceCodeLocation": source_code_location_job.SourceCodeLocationJobFacet(
            type="git",
            url="https://git.example.com/prep/blob/0a1b2c/features.py",
            repoUrl="https://git.example.com/prep.git",
            path="features.py",
            version="0a1b2c",
        ),
    },
)
parent = parent_run.ParentRunFacet(
    run=parent_run.Run(runId="0192f000-0000-7000-8000-00000000aaaa"),
    job=parent_run.Job(namespace="prep", name="applicants"),
)

client.emit(JobEvent(eventTime=now(), producer=producer, job=job, inputs=[source], outputs=[]))
client.emit(
    DatasetEvent(
        eventTime=now(),
        producer=producer,
        dataset=Dataset(
            namespace=source.namespace,
            name=source.name,
            facets={"documentation": documentation_dataset.DocumentationDatasetFacet(description="all who applied")},
        ),
    )
)
client.emit(
    RunEvent(
        eventType=RunState.START,
        eventTime=now(),
        producer=producer,
        run=Run(runId=run_id, facets={"parent": parent}),
        job=job,
        inputs=[source],
        outputs=[],
    )
)
complete = RunEvent(
    eventType=RunState.COMPLETE,
    eventTime=now(),
    producer=producer,
    run=Run(runId=run_id),
    job=job,
    inputs=[],
    outputs=[features],
)
client.emit(complete)
client.emit(complete)
client.close()
