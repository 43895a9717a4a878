"""Uses an installed atemplates as a site would; run by scripts/check in an empty environment.

With ``--jinja2`` the extra is installed and used too; without it, Jinja2 must not be needed.
"""

import asyncio
import importlib.util
import sys
from importlib import metadata, resources
from pathlib import Path

import django
from django.conf import settings

import atemplates


def main(with_jinja2: bool) -> None:
    """Render with each backend, sync and async; an AssertionError says what does not hold."""
    installed = Path(atemplates.__file__).resolve()
    assert installed.is_relative_to(Path(sys.prefix).resolve()), f"imported from {installed}"
    assert resources.files(atemplates).joinpath("py.typed").is_file(), "py.typed is missing"
    assert metadata.version("atemplates") == atemplates.__version__
    assert bool(importlib.util.find_spec("jinja2")) == with_jinja2, "Jinja2 only as an extra"

    backends = ["atemplates.engines.django.DjangoTemplates"]
    if with_jinja2:
        backends.append("atemplates.engines.jinja2.Jinja2")
    settings.configure(
        TEMPLATES=[{"BACKEND": backend} for backend in backends],
        INSTALLED_APPS=["atemplates"],
    )
    django.setup()

    from django.template import engines

    for engine in engines.all():
        template = engine.from_string("{% for x in values %}{{ x }};{% endfor %}{{ text }}")
        context = {"values": [1, 2], "text": "<b>"}
        expected = "1;2;&lt;b&gt;"
        assert template.render(context) == expected, engine
        assert asyncio.run(template.render_async(context)) == expected, engine
        print(f"{engine.name}: renders, sync and async, from {installed.parent.name}")


if __name__ == "__main__":
    main("--jinja2" in sys.argv[1:])
