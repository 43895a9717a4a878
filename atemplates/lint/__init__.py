"""Mistakes in templates: what is named and not there, what cannot be done with a value."""
