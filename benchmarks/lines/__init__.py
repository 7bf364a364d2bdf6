"""The lines of the table: one module each, with `measure(effort)`."""
