"""The Luigi tasks: queries, stages, reports, backfills, and what the `luigi` command shows of them."""
