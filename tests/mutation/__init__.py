"""Mutation testing of the modules that decide."""
