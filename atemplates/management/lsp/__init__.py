"""``manage.py atemplates lsp``: what `check` knows, in an editor, by the Language Server Protocol.

The server talks to the editor and holds the texts; a worker process of its own holds the site, and
is replaced when Python files change.
"""
