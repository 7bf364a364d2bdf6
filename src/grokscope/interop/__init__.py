"""Other people's networks: as functions, PyTorch modules and files."""
