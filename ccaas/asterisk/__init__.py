"""The ARI adapter and the care of Asterisk itself. The only code that knows Asterisk."""
