"""The Jinja2 engine: environments whose templates compile to plans."""
