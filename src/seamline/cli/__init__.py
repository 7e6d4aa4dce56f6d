"""The commands, one thin file each, with `settings.py` and `telemetry.py` beside them."""
