"""Relations that a template reaches: what was not loaded, loading it in batches, saying so."""
