"""What each group of commands does. `ccaas.cli` joins them; what a command needs is imported when it runs."""
