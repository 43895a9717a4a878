"""A small site with what real sites taught the report of ``lazy``: see ``expected.txt``."""
