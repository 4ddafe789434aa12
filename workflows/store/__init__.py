"""Where artefacts live: addresses, atomic writes, digests, provenance."""
