"""The sending end: requests that leave the gateway."""
