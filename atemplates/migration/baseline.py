"""The baseline: findings that are known, in a file to commit, so that only new ones fail."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from ..problems import Problem
from .findings import Finding

BASELINE_VERSION = 1
KEY_FIELDS = ("view", "template", "variable", "what")

Keys = frozenset[tuple[str, ...]]


def write_baseline(file: Path, findings: Iterable[Finding]) -> None:
    """Write the findings' keys, sorted, one a line.

    Raises:
        OSError: the file cannot be written.
    """
    keys = sorted({finding.key for finding in findings})
    lines = [json.dumps(dict(zip(KEY_FIELDS, key, strict=True))) for key in keys]
    body = ",\n    ".join(lines)
    inner = f"\n    {body}\n  " if lines else ""
    text = f'{{\n  "version": {BASELINE_VERSION},\n  "findings": [{inner}]\n}}\n'
    file.write_text(text, encoding="utf-8")


def read_baseline(file: Path) -> tuple[Keys, list[Problem]]:
    """Read a baseline.

    Returns:
        The keys that it holds (none when it cannot be read), and what is wrong with it.
    """
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        version = data["version"]
        if version != BASELINE_VERSION:
            return frozenset(), [
                Problem(
                    f"this baseline is of version {version!r} and this release reads "
                    f"{BASELINE_VERSION}: write it anew with --write-baseline; until then every "
                    "finding is new",
                    str(file),
                )
            ]
        return frozenset(
            tuple(str(each[name]) for name in KEY_FIELDS) for each in data["findings"]
        ), []
    except OSError as error:
        return frozenset(), [Problem(f"cannot read the baseline: {error.strerror}", str(file))]
    except json.JSONDecodeError as error:
        return frozenset(), [Problem(f"not a baseline: {error.msg}", str(file), error.lineno)]
    except (KeyError, TypeError) as error:
        return frozenset(), [Problem(f"not a baseline: {error}", str(file))]
