"""A plugin of Spotlight: it puts the guard of Voxslice in front of the server.

Spotlight starts its server in a process of its own and loads every package of the namespace
`renumics.spotlight_plugins` there. `voxslice.report.spotlight.viewer` adds this folder to the
`PYTHONPATH` of that process.
"""

from voxslice.report.spotlight.guard import activate as __activate__

__all__ = ["__activate__"]
