"""The settings of ``conformance_settings``, and the runner that puts our views in their place."""

from conformance_settings import *  # noqa: F403

TEST_RUNNER = "views_runner.ViewsRunner"
