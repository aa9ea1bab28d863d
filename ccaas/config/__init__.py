"""The YAML: documents whose every value knows its line, the settings, and what they pick from the plug-ins."""
