"""Databases and tables: statements run, fingerprints taken, Parquet read and written, schemas checked."""
