"""The money core: pure rules, the one door to them, and the stores that keep what they decide."""
