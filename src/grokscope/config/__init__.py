"""Sections of the configuration that fill a file of their own; `config` puts them together."""
