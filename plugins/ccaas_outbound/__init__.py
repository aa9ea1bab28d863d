"""How fast campaigns dial: one call for each free agent (progressive), or as many as the answers to come allow (predictive)."""
