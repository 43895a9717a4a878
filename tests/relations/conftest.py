from tests.testapp.data import zoo

__all__ = ["zoo"]
