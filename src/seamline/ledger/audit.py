"""The laws, proved again over stored rows. Names the first row that is wrong, in any of them.

Works on the stream of rows in the order they were written, in memory that grows with accounts and
rounds that are open, never with transactions.
"""

from __future__ import annotations
