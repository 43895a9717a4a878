"""Loading at the same time: on connections of their own, and many calls as one."""
