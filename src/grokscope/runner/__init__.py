"""The only room that composes training, measures and run folders."""
