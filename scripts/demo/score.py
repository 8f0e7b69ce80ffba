"""A scoring service in small: loads the model from the registry, scores every applicant of the
source file and records each decision with what it was made of.

Usage: python score.py SOURCE.csv DEPLOYMENT MODEL_URI THRESHOLD
Asks MLFLOW_TRACKING_URI for the model, records at WHEREFROM_URL, prints {prediction id: decision}.
"""

import json
import os
import sys
import time
import urllib.request
from datetime import datetime, timezone
from pathlib import Path

import mlflow
import pandas

from features import SQL_FILE, digest, open_features

BATCH = 250
REASONS_MAX = 4


def main() -> None:
    source, deployment, model_uri, threshold = sys.argv[1:]
    model = mlflow.sklearn.load_model(model_uri)
    applicants = open_features(Path(source)).sql("FROM credit_features ORDER BY applicant_id").df()
    features = applicants[model.feature_names_in_]

    started = time.perf_counter()
    risks = model.predict_proba(features)[:, 1]
    reasons = reason_codes(model, features)
    latency_ms = round((time.perf_counter() - started) * 1000 / len(applicants), 3)

    now = datetime.now(timezone.utc)
    predictions = [
        {
            # Unique for ever: the same applicant may apply again.
            "id": f"{applicant}.{now:%Y%m%dT%H%M%S}",
            "time": now.isoformat(timespec="milliseconds"),
            "deployment": deployment,
            "entityKeys": {"applicant": applicant},
            "features": row,
            "steps": steps(model),
            "output": {"probabilityOfDefault": round(float(risk), 4)},
            "decision": "refuse" if risk >= float(threshold) else "grant",
            "reasonCodes": why if risk >= float(threshold) else [],
            "latencyMs": latency_ms,
        }
        for applicant, row, risk, why in zip(
            applicants["applicant_id"], features.to_dict("records"), risks, reasons, strict=True
        )
    ]
    for start in range(0, len(predictions), BATCH):
        record(predictions[start : start + BATCH])
    decisions = {prediction["id"]: prediction["decision"] for prediction in predictions}
    print(json.dumps(decisions))


def reason_codes(model, features: pandas.DataFrame) -> list[list[dict]]:
    """For each applicant the features that raised the risk most, compared with the average applicant.

    The model is linear, so a feature's share of the score is coefficient times value.
    """
    prepare, regression = model[0], model[-1]
    shares = pandas.DataFrame(
        prepare.transform(features) * regression.coef_[0], columns=prepare.get_feature_names_out()
    )
    # "onehotencoder__housing_rent" is a part of the feature "housing".
    columns = {
        name: max((one for one in features if name.split("__")[1].startswith(one)), key=len)
        for name in shares
    }
    by_feature = shares.T.groupby(columns).sum().T
    above_average = by_feature - by_feature.mean()
    values = features.to_dict("records")
    return [
        [
            {
                "code": name.upper(),
                "feature": name,
                "value": value[name],
                "contribution": round(share, 3),
            }
            for name, share in row.nlargest(REASONS_MAX).items()
            if share > 0
        ]
        for value, (_, row) in zip(values, above_average.iterrows(), strict=True)
    ]


def steps(model) -> list[dict]:
    """The transformation steps from the application to the score."""
    prepared = [{"name": type(step).__name__} for _, step, _ in model[0].transformers_]
    return [{"name": SQL_FILE.name, "digest": digest(SQL_FILE)}, *prepared]


def record(predictions: list[dict]) -> None:
    request = urllib.request.Request(
        f"{os.environ['WHEREFROM_URL']}/api/wherefrom/v1/predictions",
        data=json.dumps(predictions).encode(),
        headers={"content-type": "application/json"},
    )
    with urllib.request.urlopen(request) as response:
        answer = json.load(response)
    if answer["accepted"] != len(predictions) or answer["flagged"]:
        sys.exit(f"Not all predictions were recorded: {answer}")


main()
