"""Seamline: a seamless wallet gateway.

Start reading at `wallet.py`, the glossary.
"""

__version__ = "0.1.0"
