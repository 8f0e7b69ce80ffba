"""Computes the features of `features.sql` with DuckDB: the training data and the service share it."""

from hashlib import sha256
from pathlib import Path

import duckdb

SQL_FILE = Path(__file__).with_name("features.sql")


def open_features(source: Path) -> duckdb.DuckDBPyConnection:
    """A database in memory that holds the table `credit_features`, made from the source file."""
    database = duckdb.connect()
    database.read_csv(str(source)).create_view("german_credit")
    database.execute(SQL_FILE.read_text())
    return database


def digest(file: Path) -> str:
    """The digest of the whole file: two files with the same digest are one version of the data."""
    return f"sha256:{sha256(file.read_bytes()).hexdigest()}"
