"""Explanations scored on known answers: networks made by formula, and imported ones."""
