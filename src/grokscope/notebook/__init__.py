"""What a researcher types: runs, networks, edits and verbs as objects that show themselves."""
