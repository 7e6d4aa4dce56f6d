"""The HTTP surfaces: vendors' callbacks, the operator API, health and metrics."""
