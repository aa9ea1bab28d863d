"""HTTP: metrics, health and the controls that the command line uses."""
