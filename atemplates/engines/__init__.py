"""The template backends: the only rooms that read settings and OPTIONS."""
