"""Finding lazy access in a site, and saying how to fix it."""
