"""What the tests of the ledger, the edge and the dialects share: small worlds, commands, tables."""
