"""Makes the training and test files from the source, and reports it to OPENLINEAGE_URL.

Usage: python transform.py SOURCE.csv OUTPUT_DIRECTORY
"""

import sys
from pathlib import Path

from features import open_features
from lineage import TransformationReport

source, output = (Path(argument).resolve() for argument in sys.argv[1:])
train, test = output / "credit_train.parquet", output / "credit_test.parquet"

with TransformationReport(source, [train, test]) as report:
    database = open_features(source)
    output.mkdir(parents=True, exist_ok=True)
    for file, condition in [
        (train, "hash(applicant_id) % 4 > 0"),
        (test, "hash(applicant_id) % 4 = 0"),
    ]:
        part = database.sql(
            f"SELECT * FROM credit_features WHERE {condition} ORDER BY applicant_id"
        )
        part.write_parquet(str(file))
        report.wrote(file, rows=len(part), columns=dict(zip(part.columns, part.types)))

print("wrote", train.name, "and", test.name)
